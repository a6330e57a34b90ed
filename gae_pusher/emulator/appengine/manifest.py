"""app.yaml, read as far as a local server needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from gae_pusher.emulator.appengine.document import Section, read
from gae_pusher.emulator.appengine.handlers import Handler, parse_handler, seconds

__all__ = ["DEFAULT_ENTRYPOINT", "MANIFEST", "Manifest", "parse"]

MANIFEST: Final = "app.yaml"
DEFAULT_ENTRYPOINT: Final = "gunicorn -b :$PORT main:app"

# The most an instance may use, in MB, for second-generation runtimes.
_MEMORY_MB: Final = {
    **{"F1": 384, "F2": 768, "F4": 1536, "F4_1G": 3072},
    **{"B1": 384, "B2": 768, "B4": 1536, "B4_1G": 3072, "B8": 3072},
}
_AUTOMATIC_DEADLINE_SECONDS: Final = 600
_OTHER_DEADLINE_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Manifest:
    """What app.yaml and its includes ask for. `notes` are one-line remarks for the console."""

    runtime: str
    service: str = "default"
    entrypoint: str = DEFAULT_ENTRYPOINT
    env_variables: Mapping[str, str] = field(default_factory=dict)
    handlers: tuple[Handler, ...] = ()
    warmup: bool = False
    memory_mb: int = 384
    deadline_seconds: int = _AUTOMATIC_DEADLINE_SECONDS
    notes: tuple[str, ...] = ()


def parse(text: str, include: Callable[[str], str | None]) -> Manifest:
    """A Manifest of app.yaml's text. `include` gives the text of a named file, or None.

    A file that `includes` names and that is not there is a note: secrets are often kept so.
    Raises ConfigurationError with file, line and what to do.
    """
    top = read(text, MANIFEST)
    runtime = top.text("runtime")
    if runtime is None:
        top.fail(None, "there is no runtime: add `runtime: python313`")
    if not runtime.startswith("python3"):
        top.fail("runtime", f"runtime is {runtime!r}, this server runs python3 runtimes only")
    sections, notes = _with_includes(top, include)
    handlers = _handlers(sections)
    manual = "manual_scaling" in top or "basic_scaling" in top
    return Manifest(
        runtime,
        top.text("service") or "default",
        _entrypoint(top),
        _env_variables(sections),
        handlers,
        any("warmup" in section.texts("inbound_services") for section in sections),
        _memory_mb(top, "B2" if manual else "F1"),
        _OTHER_DEADLINE_SECONDS if manual else _AUTOMATIC_DEADLINE_SECONDS,
        (*notes, *_remarks(runtime, top, handlers)),
    )


def _with_includes(
    top: Section, include: Callable[[str], str | None]
) -> tuple[list[Section], list[str]]:
    """app.yaml and the files that it includes, each once, then what those include."""
    sections, notes, seen = [top], [], {MANIFEST}
    waiting = [(MANIFEST, name) for name in top.texts("includes")]
    while waiting:
        including, name = waiting.pop(0)
        path, text = _included(including, name, include)
        if path in seen:
            continue
        seen.add(path)
        if text is None:
            notes.append(f"{including} includes {name}, which is not here: ignored")
        else:
            section = read(text, path)
            sections.append(section)
            waiting[:0] = [(path, deeper) for deeper in section.texts("includes")]
    return sections, notes


def _included(
    including: str, name: str, include: Callable[[str], str | None]
) -> tuple[str, str | None]:
    """A path and its text: from the app's folder, else from the including file's own."""
    paths = [normpath(name), normpath(str(PurePosixPath(including).parent / name))]
    found = ((path, text) for path in paths if (text := include(path)) is not None)
    return next(found, (paths[0], None))


def _entrypoint(top: Section) -> str:
    entrypoint = top.text("entrypoint")
    if entrypoint is not None and not entrypoint.strip():
        top.fail("entrypoint", f"entrypoint is empty: remove it, or write `{DEFAULT_ENTRYPOINT}`")
    return " ".join((entrypoint or DEFAULT_ENTRYPOINT).split("\n"))


def _env_variables(sections: list[Section]) -> dict[str, str]:
    """Values become text as the deployment makes them: true is "True". Included files win."""
    variables: dict[str, str] = {}
    for section in sections:
        own = section.section("env_variables")
        for name in own or ():
            assert own is not None
            value = own.scalar(name)
            if value is None:
                own.fail(name, f"{name} has no value: production would set \"None\"; write ''")
            variables[name] = str(value)
    return variables


def _handlers(sections: list[Section]) -> tuple[Handler, ...]:
    """Those of included files come first, but for the ones with `position: tail`."""
    top, *included = sections
    default = seconds(top, "default_expiration")
    brought = [entry for section in included for entry in section.sections("handlers")]
    tail = [entry for entry in brought if entry.choice("position", ("head", "tail")) == "tail"]
    head = [entry for entry in brought if entry not in tail]
    entries = [*head, *top.sections("handlers"), *tail]
    return tuple(parse_handler(entry, default) for entry in entries)


def _memory_mb(top: Section, default: str) -> int:
    name = top.text("instance_class") or default
    if name not in _MEMORY_MB:
        top.fail("instance_class", f"instance_class is {name!r}, it must be {_either(_MEMORY_MB)}")
    return _MEMORY_MB[name]


def _remarks(runtime: str, top: Section, handlers: tuple[Handler, ...]) -> list[str]:
    remarks = []
    here = "python{}{}".format(*sys.version_info)
    if runtime != here:
        remarks.append(f"app.yaml says {runtime}, the app runs on {here} here")
    secure = [handler.url for handler in handlers if handler.secure == "always"]
    if secure:
        remarks.append(f"production redirects {', '.join(secure)} to https, here all is http")
    if top.flag("app_engine_apis"):
        remarks.append("app_engine_apis: bundled services (memcache, taskqueue...) are not here")
    return remarks


def _either(names: Mapping[str, int]) -> str:
    return ", ".join(names)
