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
_IN_QUOTES: Final = (
    rf"(?:{_NAME}['\"]?|\bsecret) *[:=,] *['\"]{_RANDOM}['\"]"
    rf"|https?://[^\s:/@<{{$]+:{_RANDOM}@(?!localhost|127\.)[^\s/]+/apps/"
)
_BARE: Final = rf"{_NAME} *[:=] *{_RANDOM} *(?:#|$)"
_PUSHER_SECRET: Final = re.compile(_IN_QUOTES, re.MULTILINE)
_PUSHER_SECRET_IN_DATA: Final = re.compile(f"{_IN_QUOTES}|{_BARE}", re.MULTILINE)
_OTHER_SECRETS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n[A-Za-z0-9+/]{20}|$)"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|PUSHER_ENCRYPTION_MASTER_KEY_BASE64['\"]? *[:=,] *['\"]?[A-Za-z0-9+/]{43}=",
    re.MULTILINE,
)
_HEX_SECRET: Final = re.compile(r"[0-9a-f]{20}")
# What the expressions need; to look for these first is ten times as fast.
_MARKS: Final = ("PUSHER_", "secret", "/apps/")
_OTHER_MARKS: Final = (
    "PRIVATE KEY-----",
    "AKIA",
    "MASTER_KEY",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
)
_CODE: Final = (".py", ".js", ".html")


def check_secrets(project: Project) -> Iterator[Finding]:
    """Lines of uploaded files that hold a secret; app.yaml itself is uploaded as well.

    The message never repeats what was found.
    """
    for path, text in sorted(project.texts.items()):
        if path not in project.uploaded and path != project.app_yaml:
            continue
        ours = _PUSHER_SECRET if path.endswith(_CODE) else _PUSHER_SECRET_IN_DATA
        lines = _lines(ours, _MARKS, text)
        if document := project.documents.get(path):
            lines |= _hexadecimal(document)
        for line in sorted(lines):
            yield Finding(path, line, "S001", "this line holds a Pusher secret")
        for line in sorted(_lines(_OTHER_SECRETS, _OTHER_MARKS, text)):
            yield Finding(path, line, "S002", "this line holds a key or token")


def _lines(expression: re.Pattern[str], marks: tuple[str, ...], text: str) -> set[int]:
    """The numbers of the lines in which an expression matches."""
    if not any(mark in text for mark in marks):
        return set()
    return {text.count("\n", 0, match.start()) + 1 for match in expression.finditer(text)}


def _hexadecimal(document: Source) -> set[int]:
    """Variables that look like a Pusher secret under another name; a key looks like one too."""
    variables = document.get("env_variables")
    return {
        source.line
        for name, source in (variables.items() if variables else ())
        if _HEX_SECRET.fullmatch(source.text or "") and "KEY" not in name
    }
