"""Which handler answers a path. Pure: whether a file is there is asked through a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from gae_pusher.emulator.appengine.handlers import Handler, Serving, StaticDir, StaticFiles
from gae_pusher.emulator.appengine.manifest import Manifest

__all__ = ["Decision", "Forward", "Missing", "SendFile", "is_static", "route"]


@dataclass(frozen=True, slots=True)
class Forward:
    """The app answers."""


@dataclass(frozen=True, slots=True)
class SendFile:
    """A file answers; `path` is relative to the app's folder."""

    path: str
    serving: Serving


@dataclass(frozen=True, slots=True)
class Missing:
    """404 without asking the app; `reason` is for the console."""

    reason: str


Decision: TypeAlias = Forward | SendFile | Missing

_FORWARD: Final = Forward()


def route(manifest: Manifest, path: str, exists: Callable[[str], bool]) -> Decision:
    """Decide who answers a decoded path: the first handler that matches all of it.

    What no handler matches is the app's, as in every Python 3 runtime. `exists` says whether a
    relative path is a file.
    """
    for handler in manifest.handlers:
        match = handler.pattern.fullmatch(path)
        if match is not None:
            decision = _decide(handler, match, exists)
            if decision is not None:
                return decision
    return _FORWARD


def is_static(manifest: Manifest, path: str) -> bool:
    """Whether a file, named relative to the app's folder, is one that static handlers send."""
    return any(_covers(handler, path) for handler in manifest.handlers)


def _covers(handler: Handler, path: str) -> bool:
    match handler.target:
        case StaticDir(directory):
            return path.startswith(f"{directory}/")
        case StaticFiles(_, upload):
            return upload.fullmatch(path) is not None
    return False


def _decide(
    handler: Handler, match: re.Match[str], exists: Callable[[str], bool]
) -> Decision | None:
    """The answer of a handler that matched; None hands the path on to the next one."""
    match handler.target:
        case StaticDir(directory, serving):
            below = match["file"]
            path = f"{directory}/{below}" if directory else below
            return _file(path, below, serving, exists)
        case StaticFiles(template, upload, serving):
            path = match.expand(template)
            if upload.fullmatch(path) is None and not serving.require_matching_file:
                return Missing(f"{path} is not deployed: upload of {handler.url} does not match it")
            return _file(path, path, serving, exists)
    return _FORWARD


def _file(
    path: str, untrusted: str, serving: Serving, exists: Callable[[str], bool]
) -> Decision | None:
    if _is_safe(untrusted) and exists(path):
        return SendFile(path, serving)
    return None if serving.require_matching_file else Missing(f"there is no file {path}")


def _is_safe(path: str) -> bool:
    """Plain names between slashes: nothing that leads out of the folder or to its root."""
    parts = path.split("/")
    return not ({"", ".", ".."} & set(parts) or "\\" in path or "\0" in path)
