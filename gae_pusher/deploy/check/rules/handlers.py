"""Rules for the handlers of app.yaml: each serves one thing, is reached, and finds its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["check_handlers"]

_SERVES: Final = ("script", "static_dir", "static_files")
_EVERYTHING: Final = frozenset({"/.*", "/(.*)", ".*", "/.+"})


def check_handlers(project: Project) -> Iterator[Finding]:
    """Findings in app.yaml's handlers, in their order."""
    path = project.app_yaml
    handlers = (project.app.get("handlers") or Source([], 1)).entries()
    seen: dict[str, int] = {}
    everything = 0
    for handler in handlers:
        url = handler.get("url")
        yield from _check_one(project, handler)
        if url is None or not isinstance(url.value, str):
            continue
        before = everything or seen.get(url.value, 0)
        if before:
            text = f"{url.value} is never reached: the handler at line {before} comes first"
            yield Finding(path, url.line, "A305", text)
        seen.setdefault(url.value, url.line)
        if url.value in _EVERYTHING:
            everything = everything or url.line


def _check_one(project: Project, handler: Source) -> Iterator[Finding]:
    path, url = project.app_yaml, handler.get("url")
    if url is None:
        yield Finding(path, handler.line, "A301", "the handler has no url")
    elif not _compiles(str(url.value)):
        yield Finding(path, url.line, "A302", f"{url.value!r} is no regular expression from '/'")
    serves = [key for key in _SERVES if handler.get(key)]
    redirects = handler.plain("secure") == "always" and handler.get("redirect_http_response_code")
    if len(serves) != 1 and not (not serves and redirects):
        named = " and ".join(serves) or "nothing"
        yield Finding(path, handler.line, "A303", f"the handler serves {named}")
    script = handler.get("script")
    if script and script.value != "auto":
        yield Finding(path, script.line, "A304", f"script is {script.value!r}")
    if handler.get("static_files") and not handler.get("upload"):
        yield Finding(path, handler.line, "A303", "static_files needs `upload`")
    yield from _check_static(project, handler)


def _check_static(project: Project, handler: Source) -> Iterator[Finding]:
    source = handler.get("static_dir") or handler.get("static_files")
    if source is None or not isinstance(source.value, str) or "\\" in source.value:
        return
    if not project.has(source.value):
        yield Finding(project.app_yaml, source.line, "A306", f"{source.value} does not exist")
    elif not project.is_uploaded(source.value):
        yield Finding(project.app_yaml, source.line, "A307", f"{source.value} is not uploaded")


def _compiles(url: str) -> bool:
    try:
        re.compile(url)
    except re.error:
        return False
    return url.startswith("/")
