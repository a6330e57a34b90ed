"""docs/tasks.md is true: its Python runs as one program against a real local Cloud Tasks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gae_pusher.emulator.tasks.queue_yaml import parse_queue_yaml
from gae_pusher.testing.tasks import running_tasks_server
from tests.emulator.tasks.worker import running_worker

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def blocks(language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_code_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom; the delayed task waits, the invoice is sent once."""
    namespace: dict[str, object] = {}
    with running_worker() as worker, running_tasks_server(worker.url) as server:
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", server.address)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
        monkeypatch.setenv("PUSHER_URL", "http://key:secret@127.0.0.1:1/apps/3")
        for block in blocks("python"):
            exec(compile(block, PAGE.name, "exec"), namespace)
        server.wait_for("attempt", url="/tasks/send-invoice", state="succeeded")
        assert [request.path for request in worker.received] == ["/tasks/send-invoice"]
    waiting = namespace["waiting"]
    assert isinstance(waiting, list)
    assert "import-cards" in {task.app_engine_http_request.relative_uri[7:] for task in waiting}


def test_the_queue_yaml_of_the_page_is_valid() -> None:
    """What a reader copies is accepted."""
    (text,) = blocks("yaml")
    assert parse_queue_yaml(text)["default"].retry.max_attempts == 21
