"""Which changes restart the app."""

from __future__ import annotations

import pytest

from gae_pusher.emulator.appengine.manifest import parse
from gae_pusher.emulator.appengine.watch import restarting

MANIFEST = parse(
    "runtime: python311\nhandlers:\n- url: /static\n  static_dir: web/static\n", lambda _: None
)


@pytest.mark.parametrize(
    "path", ["main.py", "app.yaml", "pkg/deep/x.py", "templates/a.html", ".env", "messages.json"]
)
def test_code_and_templates_restart(path: str) -> None:
    """What the app reads when it starts, or keeps after its first use."""
    assert restarting(MANIFEST, [path]) == [path]


@pytest.mark.parametrize(
    "path",
    [
        *("web/static/a.html", "web/static/data.json"),
        *(".git/config.py", ".venv/lib/x.py", "__pycache__/main.cpython-311.py"),
        *("node_modules/a/b.json", "pkg/__pycache__/x.py", ".gae_pusher/datastore/x.yaml"),
        *("main.pyc", "uploads/photo.jpg", "db.sqlite3", "debug.log", "main.py~"),
    ],
)
def test_everything_else_does_not(path: str) -> None:
    """Static files are read for each request; caches, packages and data are not the app's code."""
    assert restarting(MANIFEST, [path]) == []


def test_each_file_once_in_order() -> None:
    """Editors write a file several times: it is named once."""
    assert restarting(MANIFEST, ["b.py", "a.py", "b.py", "x.log"]) == ["a.py", "b.py"]
