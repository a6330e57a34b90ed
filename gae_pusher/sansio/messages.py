"""Values to text and back: what becomes the `data` of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from gae_pusher.errors import InvalidRequest, PayloadTooLarge

__all__ = ["Dump", "check_size", "dumper", "to_text", "utf8_size"]

Dump = Callable[[Any], str]


def dumper(encoder: type[json.JSONEncoder]) -> Dump:
    """A function from values to compact JSON text.

    NaN and infinities are refused: browsers cannot parse them. A class of yours gets the keyword
    arguments of `json.dumps` and is made anew for each value, as `json.dumps` does it.
    """
    if encoder is json.JSONEncoder:
        return encoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    return partial(
        json.dumps, cls=encoder, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def to_text(data: Any, dump: Dump, what: str = "data") -> str:
    """A str as it is, everything else as JSON. Raises InvalidRequest for what JSON cannot hold."""
    if isinstance(data, str):
        return data
    try:
        return dump(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"{what} cannot be written as JSON ({error}): pass json_encoder= for your own types"
        ) from error


def utf8_size(text: str, what: str) -> int:
    """The number of UTF-8 bytes of a text. Raises InvalidRequest for a lone surrogate."""
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRequest(f"{what} has a lone surrogate and is no Unicode") from None


def check_size(text: str, limit: int, what: str, hint: str) -> None:
    """Refuse a text of more than `limit` UTF-8 bytes, or one that is no valid Unicode.

    `what` names it in the message, `hint` says what to do. Raises PayloadTooLarge, InvalidRequest.
    """
    size = utf8_size(text, what)
    if size > limit:
        raise PayloadTooLarge(
            f"{what} has {size} bytes, the limit is {limit}: {hint}", size=size, limit=limit
        )
