"""docs/outbox.md is true: its Python runs as one program, its YAML is accepted."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml

from gae_pusher import Outbox
from gae_pusher.emulator.tasks.queue_yaml import parse_queue_yaml
from tests.outbox.conftest import World

PAGE = Path(__file__).parents[2] / "docs" / "outbox.md"


def blocks(language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_code_of_the_page_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moved card is told; the official library's hook commits three times, ours once."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", world.client.project)
    url = f"http://9c1e7f0a2b3d4e5f6071:0f1e2d3c4b5a69788796@127.0.0.1:{world.channels.port}"
    monkeypatch.setenv("PUSHER_URL", f"{url}/apps/4242")
    namespace: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, PAGE.name, "exec"), namespace)
    assert [(channel, event) for channel, event, _ in world.sent()] == [("board", "card-moved")]
    assert (namespace["theirs"], namespace["own"]) == (3, 1)


def test_the_yaml_of_the_page_is_valid() -> None:
    """What a reader copies names the places that the page names."""
    cron, queue = blocks("yaml")
    assert yaml.safe_load(cron)["cron"][0]["url"] == "/outbox"
    assert parse_queue_yaml(queue)["outbox"].retry.max_attempts == 4


def test_every_option_is_documented() -> None:
    """The page has a row for each argument of Outbox."""
    arguments = list(inspect.signature(Outbox).parameters)
    page = PAGE.read_text("utf-8")
    assert [name for name in arguments if f"| `{name}` |" not in page] == []
