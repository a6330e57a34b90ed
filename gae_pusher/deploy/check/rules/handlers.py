"""Rules for the handlers of app.yaml: each serves one thing, is reached, and finds its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["check_handlers", "matches"]

_SERVES: Final = ("script", "static_dir", "static_files")
_STATIC_ONLY: Final = ("expiration", "mime_type", "http_headers", "require_matching_file")
_EVERYTHING: Final = frozenset({"/.*", "/(.*)", ".*", "/.+"})


def check_handlers(project: Project) -> Iterator[Finding]:
    """Findings in app.yaml's handlers, in their order."""
    handlers = (project.app.get("handlers") or Source([], 1)).entries()
    for index, handler in enumerate(handlers):
        url = handler.get("url")
        yield from _check_one(project, handler)
        if url is None or not isinstance(url.value, str):
            continue
        before = next((entry for entry in handlers[:index] if _covers(entry, handler)), None)
        if before:
            place = f"line {before.line}" + (
                "" if before.path == url.path else f" of {before.path}"
            )
            text = f"{url.value} is never reached: the handler at {place} comes first"
            yield Finding(url.path, url.line, "A305", text)


def _check_one(project: Project, handler: Source) -> Iterator[Finding]:
    path, url = handler.path, handler.get("url")
    if url is None:
        yield Finding(path, handler.line, "A301", "the handler has no url")
    elif not _compiles(str(url.value)):
        yield Finding(path, url.line, "A302", f"{url.value!r} is no regular expression of a path")
    serves = [key for key in _SERVES if handler.get(key)]
    if len(serves) != 1:
        named = " and ".join(serves) or "nothing"
        yield Finding(path, handler.line, "A303", f"the handler serves {named}")
    script = handler.get("script")
    if script and script.value != "auto":
        yield Finding(path, script.line, "A304", f"script is {script.value!r}")
    if handler.get("static_files") and not handler.get("upload"):
        yield Finding(path, handler.line, "A303", "static_files needs `upload`")
    if script:
        for key, value in ((key, handler.get(key)) for key in _STATIC_ONLY):
            if value:
                yield Finding(path, value.line, "A309", f"{key} is for static files only")
    yield from _check_static(project, handler)
    yield from _check_upload(project, handler)


def _check_upload(project: Project, handler: Source) -> Iterator[Finding]:
    source = handler.get("upload")
    if source is None or not handler.get("static_files"):
        return
    try:
        wanted = re.compile(str(source.value))
    except re.error as error:
        yield Finding(source.path, source.line, "A302", f"`upload`: {error}")
        return
    if not any(map(wanted.fullmatch, project.uploaded)):
        known = any(map(wanted.fullmatch, project.sizes))
        text = f"no file that {'is uploaded ' if known else ''}matches {source.value!r}"
        yield Finding(source.path, source.line, "A307" if known else "A306", text)


def _check_static(project: Project, handler: Source) -> Iterator[Finding]:
    source = handler.get("static_dir") or handler.get("static_files")
    if source is None or not isinstance(source.value, str) or "\\" in source.value:
        return
    if not project.has(source.value):
        yield Finding(source.path, source.line, "A306", f"{source.value} does not exist")
    elif not project.is_uploaded(source.value):
        yield Finding(source.path, source.line, "A307", f"{source.value} is not uploaded")


def matches(handler: Source, path: str) -> bool:
    """Whether a handler takes a request for this path, whatever comes of it."""
    url = str(handler.plain("url", ""))
    try:
        if handler.get("static_dir"):
            return path.startswith(url.rstrip("/") + "/")
        return bool(re.fullmatch(url, path))
    except re.error:
        return False


def _covers(earlier: Source, later: Source) -> bool:
    """Whether a handler takes every request that a later one could serve."""
    url, first = str(later.plain("url")), str(earlier.plain("url"))
    if earlier.plain("require_matching_file") is True:
        return False
    if bool(earlier.get("static_dir")) == bool(later.get("static_dir")) and url == first:
        return True
    if first in _EVERYTHING:
        return True
    if re.search(r"[\\()\[\]*+?|^$.]", url):
        return False
    sample = f"{url.rstrip('/')}/x" if later.get("static_dir") else url
    return matches(earlier, sample)


def _compiles(url: str) -> bool:
    try:
        re.compile(url)
    except re.error:
        return False
    return url.startswith(("/", ".*"))
