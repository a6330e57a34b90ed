"""Values to text and back: what becomes the `data` of an event."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from gae_pusher.errors import InvalidRequest, PayloadTooLarge

__all__ = [
    "UNWRITABLE",
    "Dump",
    "check_size",
    "dump_fields",
    "dumper",
    "to_text",
    "unwritable",
    "utf8_size",
]

Dump = Callable[[Any], str]

UNWRITABLE: Final = (TypeError, ValueError, RecursionError)  # what a dump raises

_c_encoder: Final[Any] = getattr(json.encoder, "c_make_encoder", None)  # not public
_COMPACT: Final[Any] = {
    "ensure_ascii": False,
    "allow_nan": False,
    "separators": (",", ":"),
}


def dumper(encoder: type[json.JSONEncoder]) -> Dump:
    """A function from values to compact JSON text.

    NaN and infinities are refused: browsers cannot parse them. A class of yours gets the keyword
    arguments of `json.dumps` and is made anew for each value, as `json.dumps` does it.
    """
    if encoder is not json.JSONEncoder:
        return partial(json.dumps, cls=encoder, **_COMPACT)
    return _dump if _encode_fields else _PLAIN.encode


def dump_fields(fields: Mapping[str, Any]) -> str:
    """A dict of ours as compact JSON text: lists, dicts and texts, and no circles."""
    return "".join(_encode_fields(fields, 0)) if _encode_fields else _PLAIN.encode(fields)


def _dump(value: Any) -> str:
    """What `encode` does, whose own wrappers take longer than a small value."""
    return "".join(_encoder({})(value, 0))  # a new one: it remembers what it has seen


def _encoder(seen: dict[int, Any] | None) -> Any:
    """C's own, which finds circles by what it has `seen`, or without that may be used for ever."""
    # Not sorted, no keys left out, no NaN.
    escape = json.encoder.encode_basestring
    return _c_encoder(seen, _PLAIN.default, escape, None, ":", ",", False, False, False)


def _shared_encoder() -> Any:
    """None where C's encoder is not there, or not as it is in Python 3.11 to 3.13."""
    try:
        encode = _encoder(None)
        return encode if "".join(encode({"a": ["é"]}, 0)) == '{"a":["é"]}' else None
    except Exception:
        return None


_PLAIN: Final = json.JSONEncoder(**_COMPACT)
_encode_fields: Final = _shared_encoder()


def to_text(data: Any, dump: Dump, what: str = "data") -> str:
    """A str as it is, everything else as JSON. Raises InvalidRequest for what JSON cannot hold."""
    if isinstance(data, str):
        return data
    try:
        return dump(data)
    except UNWRITABLE as error:
        raise unwritable(what, error) from error


def unwritable(what: str, error: Exception) -> InvalidRequest:
    """The error for what a dump could not write."""
    return InvalidRequest(
        f"{what} cannot be written as JSON ({error}): pass json_encoder= for your own types"
    )


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
