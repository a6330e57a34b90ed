"""docs/migrating.md: its code runs, its names exist, and its lists of mended defects are tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gae_pusher
from gae_pusher.testing import RunningServer
from gae_pusher.testing.channels import running_server

PAGE = (Path(__file__).parent.parent / "docs" / "migrating.md").read_text()


def test_the_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's Python, from top to bottom as one program, works against a local server."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for name in ("app_id", "key", "secret", "host", "port", "channel_type"):
        monkeypatch.setattr(gae_pusher, name, None)
    with running_server() as server:
        monkeypatch.setenv("PUSHER_URL", server.pusher_url)
        namespace: dict[str, object] = {}
        for block in blocks:
            exec(compile(block, "migrating.md", "exec"), namespace)
        _arrived(server)


def _arrived(server: RunningServer) -> None:
    server.wait_for_event("my-other-channel", "my-event")
    server.wait_for_event("my-channel", "another")


def test_the_names_exist() -> None:
    """Every class of ours that the page promises can be imported from the package."""
    promised = set(re.findall(r"gae_pusher\.([A-Z]\w+)", PAGE))
    promised |= set(re.findall(r"`([A-Z]\w+(?:Error|Channel|Request|Name|Failure|Failed))`", PAGE))
    foreign = {"NameError", "ValueError", "TypeError", "IndexError", "JSONDecodeError", "Request"}
    assert len(promised) > 15
    assert {name for name in promised - foreign if name not in gae_pusher.__all__} == set()
