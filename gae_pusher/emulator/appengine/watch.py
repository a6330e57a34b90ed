"""Which changed files ask for what: a new app process, nothing, or app.yaml read again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from gae_pusher.emulator.appengine.manifest import Manifest
from gae_pusher.emulator.appengine.routing import is_static

__all__ = ["IGNORED_DIRECTORIES", "SOURCE_SUFFIXES", "restarting"]

IGNORED_DIRECTORIES: Final = frozenset({"__pycache__", "node_modules", "venv", "env", "artifacts"})
SOURCE_SUFFIXES: Final = frozenset(
    {
        *(".py", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".json", ".env"),
        *(".html", ".htm", ".txt", ".j2", ".jinja", ".jinja2", ".po", ".mo"),
    }
)


def restarting(manifest: Manifest, paths: Iterable[str]) -> list[str]:
    """The changed files, named relative to the app's folder, that the running app has read.

    Hidden folders, caches and installed packages are not the app's; data files are not its code;
    static files are sent by the front door, fresh each time.
    """
    return sorted({path for path in paths if _is_source(path) and not is_static(manifest, path)})


def _is_source(path: str) -> bool:
    *folders, name = PurePosixPath(path).parts
    if any(folder.startswith(".") or folder in IGNORED_DIRECTORIES for folder in folders):
        return False
    return PurePosixPath(name).suffix in SOURCE_SUFFIXES or name == ".env"
