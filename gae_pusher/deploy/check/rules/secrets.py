"""Rules for secrets in files that would be uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["check_secrets"]

# A real secret is random and has a digit; "my-secret" and "your-secret-here" are placeholders.
_RANDOM: Final = r"(?=[A-Za-z+/=_-]*\d)[A-Za-z0-9+/=_-]{8,}"
_NAME: Final = r"PUSHER_(?:APP_)?SECRET"
_KEY: Final = r"PUSHER_ENCRYPTION_MASTER_KEY_BASE64['\"]? *[:=,] *['\"]?[A-Za-z0-9+/]{43}="
_TOKEN: Final = r"\bgh[pousr]_[A-Za-z0-9]{36}\b"

_Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def _patterns(*rows: tuple[str, str]) -> _Patterns:
    """Expressions, each with the text that it needs: to look for that first is much faster."""
    return tuple((mark, re.compile(expression, re.MULTILINE)) for mark, expression in rows)


_IN_QUOTES: Final = _patterns(
    ("PUSHER_", rf"{_NAME}['\"]? *[:=,] *['\"]{_RANDOM}['\"]"),
    ("secret", rf"secret(?<!\wsecret) *[:=,] *['\"]{_RANDOM}['\"]"),
    ("/apps/", rf"https?://[^\s:/@<{{$]+:{_RANDOM}@(?!localhost|127\.)[^\s/]+/apps/"),
)
# In prose a word that is no secret may stand behind the name.
_IN_PROSE: Final = (*_IN_QUOTES, *_patterns(("PUSHER_", rf"{_NAME} *[:=] *[0-9a-f]{{20}}\b")))
_IN_DATA: Final = (
    *_IN_QUOTES,
    *_patterns(("PUSHER_", rf"{_NAME}(?: *[:=] *| +){_RANDOM} *(?:#|$)")),
)
_OTHERS: Final = _patterns(
    ("PRIVATE KEY-----", r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n[A-Za-z0-9+/]{20}|$)"),
    ("AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
    ("MASTER_KEY", _KEY),
    *((f"gh{letter}_", _TOKEN) for letter in "pousr"),
)
_HEX_SECRET: Final = re.compile(r"[0-9a-f]{20}")
_CODE: Final = (
    *(".py", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".vue", ".svelte", ".html", ".j2"),
    *(".css", ".map", ".svg"),
)
_PROSE: Final = (".md", ".rst")


def check_secrets(project: Project) -> Iterator[Finding]:
    """Lines of uploaded files that hold a secret; app.yaml itself is uploaded as well.

    The message never repeats what was found.
    """
    for path, text in sorted(project.texts.items()):
        if path not in project.uploaded and path != project.app_yaml:
            continue
        lines = _lines(_patterns_for(path), text)
        if document := project.documents.get(path):
            lines |= _hexadecimal(document)
        for line in sorted(lines):
            yield Finding(path, line, "S001", "this line holds a Pusher secret")
        for line in sorted(_lines(_OTHERS, text)):
            yield Finding(path, line, "S002", "this line holds a key or token")


def _patterns_for(path: str) -> _Patterns:
    if path.endswith(_CODE):
        return _IN_QUOTES
    return _IN_PROSE if path.endswith(_PROSE) else _IN_DATA


def _lines(patterns: _Patterns, text: str) -> set[int]:
    """The numbers of the lines in which one of the expressions matches."""
    return {
        text.count("\n", 0, match.start()) + 1
        for mark, expression in patterns
        if mark in text
        for match in expression.finditer(text)
    }


def _hexadecimal(document: Source) -> set[int]:
    """Variables that look like a Pusher secret under another name; a key looks like one too."""
    variables = document.get("env_variables")
    return {
        source.line
        for name, source in (variables.items() if variables else ())
        if _HEX_SECRET.fullmatch(source.text or "") and "KEY" not in name
    }
