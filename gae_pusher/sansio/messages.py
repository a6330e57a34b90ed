"""Values to text and back: what becomes the `data` of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from gae_pusher.errors import InvalidRequest, PayloadTooLarge

__all__ = ["Dump", "check_size", "dumper", "to_text"]

Dump = Callable[[Any], str]


def dumper(encoder: type[json.JSONEncoder]) -> Dump:
    """A function from values to compact JSON text, made once per encoder class.

    NaN and infinities are refused: browsers cannot parse them.
    """
    return encoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


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


def check_size(text: str, limit: int, where: str) -> None:
    """Refuse a payload of more than `limit` UTF-8 bytes, or one that is no valid Unicode.

    Raises PayloadTooLarge or InvalidRequest; `where` names the event for the message.
    """
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRequest(
            f"the data of {where} has a lone surrogate and is no Unicode"
        ) from None
    if size > limit:
        raise PayloadTooLarge(
            f"the data of {where} has {size} bytes, the limit is {limit}: "
            "trigger a reference and let the page fetch the rest",
            size=size,
            limit=limit,
        )
