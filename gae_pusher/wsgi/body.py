"""Reading a request's body: never more than asked for, never past its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.wsgi.http import Refusal

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["check_length", "read_body", "require_length"]

_CHUNK_BYTES: Final = 65_536
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


def read_body(environ: WSGIEnvironment, limit: int) -> bytes:
    """The whole body, at most `limit` bytes.

    Without a length it is read to its end where the server promises one
    (`wsgi.input_terminated`): elsewhere a read could wait for ever.
    Raises Refusal: 413 over the limit, before reading if the length says so; 400 for a length that
    is no number or a body that is shorter; 411 for a chunked body that has no promised end.
    """
    length = check_length(environ.get("CONTENT_LENGTH"), limit)
    if length is not None:
        body = _read(environ["wsgi.input"], length)
        if len(body) < length:
            raise Refusal(400, "the body is shorter than its Content-Length")
        return body
    if environ.get("wsgi.input_terminated"):
        body = _read(environ["wsgi.input"], limit + 1)
        if len(body) > limit:
            raise _too_large(limit)
        return body
    if environ.get("HTTP_TRANSFER_ENCODING"):
        raise Refusal(411, "send a Content-Length")
    return b""


def check_length(text: str | None, limit: int) -> int | None:
    """What a Content-Length header says in bytes; None without one.

    Raises Refusal: 400 if it is no number, 413 if it is over `limit`.
    """
    if not text:
        return None
    if not _LENGTH.fullmatch(text):
        raise Refusal(400, "the Content-Length is no number of bytes")
    if int(text) > limit:
        raise _too_large(limit)
    return int(text)


def require_length(text: str | None, limit: int) -> int:
    """What a Content-Length header says. Raises Refusal as `check_length`, and 411 without one."""
    length = check_length(text, limit)
    if length is None:
        raise Refusal(411, "send a Content-Length")
    return length


def _read(stream: Any, wanted: int) -> bytes:
    """Up to `wanted` bytes; fewer only at the end. A stream may answer in pieces."""
    pieces: list[bytes] = []
    while wanted > 0:
        try:
            piece = stream.read(min(wanted, _CHUNK_BYTES))
        except Exception as error:  # each server raises its own for a client that hung up
            raise Refusal(400, "the body ended too early") from error
        if not piece:
            break
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"the body is larger than {limit} bytes")
