"""GQL text as tokens, each with the place where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from gae_pusher.emulator.datastore.refusals import Refusal, invalid

__all__ = ["Kind", "Token", "tokens", "unexpected"]


class Kind(Enum):
    """What a token is. A quoted name is never a keyword."""

    NAME = "name"
    QUOTED_NAME = "quoted name"
    STRING = "string"
    DOUBLE = "double"
    INTEGER = "integer"
    BINDING = "binding"
    SYMBOL = "symbol"
    END = "end"


class Token(NamedTuple):
    """`text` is a string's or a name's content, else what is written."""

    kind: Kind
    text: str
    position: int


_PATTERNS: Final = (
    (None, r"\s+"),
    (Kind.DOUBLE, r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+"),
    (Kind.INTEGER, r"[+-]?\d+"),
    (Kind.BINDING, r"@(?:\d+|[A-Za-z_$][\w$]*)"),
    (Kind.NAME, r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*"),
    (Kind.QUOTED_NAME, r"`(?:[^`\\]|``|\\.)*`"),
    (Kind.STRING, r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\""),
    (Kind.SYMBOL, r"<=|>=|!=|<|>|=|\(|\)|,|\*|\+"),
)
_TOKEN: Final = re.compile("|".join(f"({pattern})" for _, pattern in _PATTERNS), re.DOTALL)

# The escapes of GQL's reference; any other character stands for itself.
_ESCAPES: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


def tokens(text: str) -> Iterator[Token]:
    """All tokens and the end. Raises Refusal for what is none."""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastindex is None:
            raise unexpected(text, Token(Kind.SYMBOL, text[position], position))
        kind = _PATTERNS[match.lastindex - 1][0]
        if kind is not None:
            yield Token(kind, _content(kind, match.group()), position)
        position = match.end()
    yield Token(Kind.END, "<EOF>", len(text))


def unexpected(text: str, token: Token) -> Refusal:
    """The refusal of a token that cannot stand where it does."""
    before = text[: token.position]
    line, column = before.count("\n") + 1, token.position - (before.rfind("\n") + 1) + 1
    return invalid(f'GQL: encountered "{token.text}" at line {line}, column {column}.')


def _content(kind: Kind, written: str) -> str:
    if kind not in (Kind.STRING, Kind.QUOTED_NAME):
        return written
    inner = written[1:-1].replace(written[0] * 2, written[0])
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m.group(1), m.group(1)), inner, flags=re.DOTALL)
