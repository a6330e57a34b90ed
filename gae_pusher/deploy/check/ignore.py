"""Which files gcloud leaves behind: .gcloudignore as gcloud itself reads it.

Its language is almost git's. What differs, seen with gcloud 528: `a/b` matches at any depth, a
pattern that begins with `*/`, or is `*` alone, matches from the top only, and `#!include:FILE`
inserts the lines of a file beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Ignore", "MissingInclude"]

_INCLUDE: Final = re.compile(r"#\s*!include:(.*)")
_GLOB: Final = re.compile(r"\[(?P<not>!?)(?P<set>\]?[^\]]*)\]|[*?]|.", re.DOTALL)


class MissingInclude(Exception):
    """An #!include names a file that does not exist; gcloud refuses to go on."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    negated: bool
    folders_only: bool


class Ignore:
    """The patterns of one file; the last one that matches a path decides.

    Whoever walks a tree asks for each folder first and never enters an ignored one.
    """

    def __init__(self, text: str, read: Callable[[str], str | None] = lambda name: None) -> None:
        """Parse a text; `read` gives the text of an included file, None when there is none.

        Raises MissingInclude.
        """
        self._patterns = [
            pattern for line in _lines(text, read) if (pattern := _parsed(line)) is not None
        ]

    def ignores(self, path: str, *, folder: bool = False) -> bool:
        """Whether a path from the root stays behind, its parent folders not considered."""
        for pattern in reversed(self._patterns):
            if pattern.folders_only and not folder:
                continue
            if pattern.expression.fullmatch(path):
                return not pattern.negated
        return False

    def ignores_below(self, path: str) -> bool:
        """Whether a file stays behind because of its own name or of a folder above it."""
        parts = path.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return any(self.ignores(name, folder=True) for name in above) or self.ignores(path)


def _lines(text: str, read: Callable[[str], str | None]) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        include = _INCLUDE.match(line)
        if include is None:
            lines.append(line)
            continue
        included = read(include[1])
        if included is None:
            raise MissingInclude(include[1])
        lines += included.splitlines()
    return [line for line in lines if not line.startswith("#")]


def _parsed(line: str) -> _Pattern | None:
    negated = line.startswith("!")
    text = line.removeprefix("!") if negated else line
    folders_only = text.endswith("/")
    text = re.sub(r"(?<!\\) +$", "", text.removesuffix("/"))
    text = re.sub(r"\\(.)", r"\1", text)
    return _Pattern(_expression(text), negated, folders_only) if text else None


def _expression(text: str) -> re.Pattern[str]:
    parts = re.sub(r"\*\*(/\*\*)+", "**", text).split("/")
    if parts[0] == "" or "**" in parts:
        expression = ""
    elif parts[0] == "*":
        expression, parts = "(?:[^/]*/)?" if parts[1:] else "[^/]*", parts[1:]
    else:
        expression = "(?:.*/)?"
    parts = [part for part in parts if part]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part != "**":
            expression += _translated(part) + ("" if last else "/")
        elif last:
            expression = f"{expression.removesuffix('/')}(?:/.*)?" if expression else ".*"
        else:
            expression += "(?:.*/)?"
    return re.compile(expression, re.DOTALL)


def _translated(part: str) -> str:
    return "".join(map(_translate, _GLOB.finditer(part)))


def _translate(token: re.Match[str]) -> str:
    if token["set"]:
        content = token["set"].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
        return f"[{'^' if token['not'] else ''}{content}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(token[0], re.escape(token[0]))
