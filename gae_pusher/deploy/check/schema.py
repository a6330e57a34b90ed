"""Schemas of YAML files: what keys there are, and what their values may be."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.yaml_source import Source

__all__ = [
    "BOOL",
    "INT",
    "MAP",
    "NUMBER",
    "SCALAR",
    "STR",
    "Kind",
    "check_schema",
    "choice",
    "listing",
    "section",
    "text",
]

_DIGITS: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be: a Python type, a pattern, a choice, a section, a list or a map."""

    name: str
    types: tuple[type, ...] = ()
    pattern: re.Pattern[str] | None = None
    choices: frozenset[str] = frozenset()
    section: Mapping[str, Kind] | None = None
    entry: Kind | None = None
    status: str = ""
    also: frozenset[str] = field(default_factory=frozenset)


def choice(*choices: str) -> Kind:
    """One of some words."""
    return Kind(f"one of {', '.join(choices)}", choices=frozenset(choices))


def text(name: str, pattern: str) -> Kind:
    """A text of a pattern; `name` says of which."""
    return Kind(name, (str,), re.compile(pattern))


def listing(entry: Kind) -> Kind:
    """A list of one kind of entry."""
    return Kind(f"a list of {entry.name}", (list,), entry=entry)


def section(**keys: Kind) -> Kind:
    """A mapping with these keys, none of them required."""
    return Kind("a section", (dict,), section=keys)


STR = Kind("text", (str,))
SCALAR = Kind("text", (str, int, float, bool, datetime.date, type(None)))
BOOL = Kind("true or false", (bool,))
INT = Kind("a whole number", (int,))
NUMBER = Kind("a number", (int, float))
MAP = Kind("a section", (dict,))

_STATUS_CODES: Final = {"flex": "A006", "refused": "A005", "dead": "A007", "undocumented": "A008"}


def check_schema(path: str, source: Source, kind: Kind, where: str = "") -> Iterator[Finding]:
    """Findings for every key and value below `source` that is not as `kind` says."""
    if not _fits(source.value, kind):
        yield Finding(path, source.line, "A004", f"{where or 'the file'} must be {kind.name}")
        return
    if kind.section is not None:
        for key, value in source.items():
            yield from _check_key(path, key, value, kind.section, where)
    elif kind.entry is not None:
        children = [(f"{where}.{key}", value) for key, value in source.items()]
        children += [(f"{where}[{index}]", value) for index, value in enumerate(source.entries())]
        for name, value in children:
            yield from check_schema(path, value, kind.entry, name)


def _check_key(
    path: str, key: str, value: Source, section: Mapping[str, Kind], where: str
) -> Iterator[Finding]:
    name = f"{where}.{key}" if where else key
    kind = section.get(key)
    if kind is None:
        yield Finding(path, value.line, "A003", f"{name!r} is no key{_hint(key, section)}")
    elif kind.status:
        code = _STATUS_CODES[kind.status]
        yield Finding(path, value.line, code, f"{name!r} has no place here")
    else:
        yield from check_schema(path, value, kind, name)


def _fits(value: Any, kind: Kind) -> bool:
    if isinstance(value, str) and value in kind.also:
        return True
    if value is None and (kind.section or kind.entry):
        return True  # gcloud takes an empty section for none
    if isinstance(value, str) and int in kind.types and str not in kind.types:
        return bool(_DIGITS.fullmatch(value))
    if kind.choices:
        return str(value) in kind.choices
    if isinstance(value, bool) and kind.types and bool not in kind.types:
        return False
    if kind.types and not isinstance(value, kind.types):
        return False
    return kind.pattern is None or bool(kind.pattern.fullmatch(str(value)))


def _hint(key: str, section: Mapping[str, Kind]) -> str:
    close = get_close_matches(key, section, n=1)
    return f": did you mean {close[0]!r}?" if close else ""
