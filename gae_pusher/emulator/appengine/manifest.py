"""app.yaml, read as far as a local server needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    sections, notes = [top], []
    for name in top.texts("includes"):
        text = include(name)
        if text is None:
            notes.append(f"app.yaml includes {name}, which is not here: ignored")
        else:
            sections.append(read(text, name))
    return sections, notes


def _entrypoint(top: Section) -> str:
    entrypoint = top.text("entrypoint")
    if entrypoint is not None and not entrypoint.strip():
        top.fail("entrypoint", f"entrypoint is empty: remove it, or write `{DEFAULT_ENTRYPOINT}`")
    return " ".join((entrypoint or DEFAULT_ENTRYPOINT).split("\n"))


def _env_variables(sections: list[Section]) -> dict[str, str]:
    """Values become text as the deployment makes them: true is "True". app.yaml's own win."""
    variables: dict[str, str] = {}
    for section in reversed(sections):
        own = section.section("env_variables")
        for name in own or ():
            assert own is not None
            value = own.scalar(name)
            if value is None:
                own.fail(name, f"{name} has no value: production would set \"None\"; write ''")
            variables[name] = str(value)
    return variables


def _handlers(sections: list[Section]) -> tuple[Handler, ...]:
    default = seconds(sections[0], "default_expiration")
    return tuple(
        parse_handler(entry, default)
        for section in sections
        for entry in section.sections("handlers")
    )


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
