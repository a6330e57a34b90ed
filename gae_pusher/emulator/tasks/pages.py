"""Lists in pages: a token says after which name the next page begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TypeVar

from gae_pusher.emulator.tasks.refusal import Code, Refusal

__all__ = ["page"]

T = TypeVar("T")


def page(
    items: Sequence[tuple[str, T]], scope: str, size: int, token: str, most: int
) -> tuple[list[T], str]:
    """One page of items in the order of their names, and the token of the next or "".

    `scope` ties a token to its list. 0 is the largest page, `most`. Raises Refusal.
    """
    if size < 0:
        raise Refusal(Code.INVALID_ARGUMENT, f"page_size is {size}, it must not be negative")
    after = _decode(token, scope) if token else ""
    rest = [(name, item) for name, item in items if name > after]
    shown = rest[: min(size or most, most)]
    more = len(rest) > len(shown)
    return [item for _, item in shown], _encode(scope, shown[-1][0]) if more else ""


def _encode(scope: str, name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([scope, name]).encode()).decode()


def _decode(token: str, scope: str) -> str:
    try:
        found, name = json.loads(base64.urlsafe_b64decode(token))
    except (TypeError, ValueError):
        found, name = None, None
    if found != scope or not isinstance(name, str):
        raise Refusal(Code.INVALID_ARGUMENT, "page_token was not given for this list")
    return name
