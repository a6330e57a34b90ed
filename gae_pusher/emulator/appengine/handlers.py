"""The handlers of app.yaml as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from gae_pusher.emulator.appengine.document import Section

__all__ = ["Handler", "Script", "Serving", "StaticDir", "StaticFiles", "parse_handler", "seconds"]

_DURATION: Final = re.compile(r"(\d+)([dhms])", re.IGNORECASE)
_UNIT_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Serving:
    """How static files of one handler are sent. `expiration_seconds` None: nothing was said."""

    expiration_seconds: int | None = None
    http_headers: tuple[tuple[str, str], ...] = ()
    mime_type: str | None = None
    require_matching_file: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """The request is the app's."""


@dataclass(frozen=True, slots=True)
class StaticDir:
    """What follows the handler's url names a file below `directory`."""

    directory: str
    serving: Serving


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """`template` with the groups of the url names a file, which `upload` must match as a whole."""

    template: str
    upload: re.Pattern[str]
    serving: Serving


Target: TypeAlias = Script | StaticDir | StaticFiles


@dataclass(frozen=True, slots=True)
class Handler:
    """One entry of `handlers`: `pattern` is matched against the whole decoded path."""

    url: str
    pattern: re.Pattern[str]
    target: Target
    secure: str = "default"
    redirect_status: int = 302


def parse_handler(section: Section, default_expiration: int | None) -> Handler:
    """A handler from its section. Raises ConfigurationError with file and line."""
    url = section.text("url")
    if url is None:
        section.fail(None, "this handler has no url: add one, such as `url: /static`")
    if not url.startswith(("/", ".", "(")):
        section.fail("url", f"url is {url!r}, it must start with /")
    target = _target(section, default_expiration)
    anchored = rf"{url.rstrip('/')}/(?P<file>.*)" if isinstance(target, StaticDir) else url
    return Handler(
        url,
        _pattern(section, "url", anchored),
        target,
        section.choice("secure", ("default", "never", "optional", "always")) or "default",
        int(section.choice("redirect_http_response_code", ("301", "302", "303", "307")) or 302),
    )


def seconds(section: Section, key: str) -> int | None:
    """A duration such as `4d 5h`, in seconds."""
    text = section.text(key)
    if text is None:
        return None
    words = text.split()
    parts = [_DURATION.fullmatch(word) for word in words]
    if not words or not all(parts):
        section.fail(key, f"{key} is {text!r}, it must be numbers with d, h, m or s: `4d 5h`")
    return sum(int(part[1]) * _UNIT_SECONDS[part[2].lower()] for part in parts if part)


def _target(section: Section, default_expiration: int | None) -> Target:
    kinds = [key for key in ("script", "static_dir", "static_files") if key in section]
    if len(kinds) > 1:
        section.fail(kinds[1], f"a handler has {kinds[0]} or {kinds[1]}, not both: remove one")
    if not kinds or kinds == ["script"]:
        return _script(section, kinds)
    serving = _serving(section, default_expiration)
    if kinds == ["static_dir"]:
        return StaticDir((section.text("static_dir") or "").strip("/"), serving)
    if "upload" not in section:
        section.fail(None, "static_files needs upload: a regular expression of the files it names")
    upload = _pattern(section, "upload", section.text("upload") or "")
    return StaticFiles(section.text("static_files") or "", upload, serving)


def _script(section: Section, kinds: list[str]) -> Script:
    script = section.text("script") if kinds else "auto"
    if script != "auto":
        section.fail("script", f"script is {script!r}, Python 3 runtimes know only `script: auto`")
    return Script()


def _serving(section: Section, default_expiration: int | None) -> Serving:
    headers = section.section("http_headers")
    expiration = seconds(section, "expiration")
    return Serving(
        default_expiration if expiration is None else expiration,
        tuple((name, headers.text(name) or "") for name in headers) if headers else (),
        section.text("mime_type"),
        section.flag("require_matching_file"),
    )


def _pattern(section: Section, key: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        section.fail(key, f"{key} is no regular expression: {error}")
