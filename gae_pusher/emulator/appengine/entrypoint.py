"""The command that starts the app, kept to this machine."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ADDRESS", "first_word", "local_command"]

ADDRESS: Final = "127.0.0.1"

_GUNICORN: Final = re.compile(r"(?<!\S)((?:\S*/)?gunicorn)(?!\S)")
_BIND: Final = re.compile(r"""(?<!\S)(?:--bind(?:=|\s+)|-b\s*)(?:"[^"]*"|'[^']*'|\S+)\s*""")


def local_command(entrypoint: str) -> str:
    """The shell command for an entrypoint; gunicorn's address becomes 127.0.0.1:$PORT.

    Production's usual `-b :$PORT` would open the app to the network. Other servers are started
    as they are.
    """
    if _GUNICORN.search(entrypoint) is None:
        return entrypoint
    unbound = _BIND.sub("", entrypoint).rstrip()
    return _GUNICORN.sub(rf"\1 --bind {ADDRESS}:$PORT", unbound, count=1)


def first_word(command: str) -> str | None:
    """The program of a simple command, or None when a shell is needed to know."""
    words = command.split()
    plain = words and re.fullmatch(r"[\w./+-]+", words[0])
    return words[0] if plain else None
