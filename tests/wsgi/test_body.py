"""Bodies are read exactly, never past their end, never over the cap."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.wsgi.body import check_length, read_body, require_length
from gae_pusher.wsgi.http import Refusal
from tests.wsgi.support import Input


def refused(environ: dict[str, Any], limit: int = 100) -> int:
    with pytest.raises(Refusal) as caught:
        read_body(environ, limit)
    return caught.value.response.status


@given(st.binary(max_size=300), st.integers(1, 50), st.integers(0, 20))
def test_reads_exactly_the_declared_length(body: bytes, piece: int, beyond: int) -> None:
    """A body that arrives in pieces is read whole, and nothing after its end is asked for."""
    stream = Input(body + b"x" * beyond, piece)
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": stream}
    assert read_body(environ, 300) == body
    assert stream.tell() == len(body)


@pytest.mark.parametrize(
    "length", ["-1", "+5", "1_0", "0x5", "5.0", "five", " 5", "\u0665", "9" * 5000]
)
def test_garbled_length_is_refused(length: str) -> None:
    """A Content-Length that is not a plain number of bytes is a 400 and nothing is read."""
    stream = Input(b"12345")
    assert refused({"CONTENT_LENGTH": length, "wsgi.input": stream}) == 400
    assert stream.asked == 0


def test_oversize_length_is_refused_unread() -> None:
    """One byte over the cap is a 413 before a single byte is read; the cap itself is fine."""
    stream = Input(b"x" * 101)
    assert refused({"CONTENT_LENGTH": "101", "wsgi.input": stream}) == 413
    assert stream.asked == 0
    assert read_body({"CONTENT_LENGTH": "100", "wsgi.input": stream}, 100) == b"x" * 100


def test_short_body_is_refused() -> None:
    """A body that ends before its declared length is a 400."""
    assert refused({"CONTENT_LENGTH": "6", "wsgi.input": Input(b"12345")}) == 400


def test_no_length_and_no_promised_end_is_not_read() -> None:
    """Without a length nothing is read, since the read could wait for ever; chunked is a 411."""
    stream = Input(b"12345")
    assert read_body({"wsgi.input": stream}, 100) == b""
    assert read_body({"CONTENT_LENGTH": "", "wsgi.input": stream}, 100) == b""
    assert refused({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": stream}) == 411
    assert stream.asked == 0


@given(st.integers(0, 120))
def test_chunked_body_with_a_promised_end_is_capped(size: int) -> None:
    """A chunked body is read to its end up to the cap, and one byte further to know it is over."""
    stream = Input(b"x" * size, 13)
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True}
    if size > 100:
        assert refused(environ) == 413
        assert stream.tell() == 101
    else:
        assert read_body(environ, 100) == b"x" * size


def test_client_that_hangs_up_is_a_400() -> None:
    """Whatever the server's stream raises when the client is gone becomes a 400."""

    class Gone(Input):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    assert refused({"CONTENT_LENGTH": "5", "wsgi.input": Gone(b"")}) == 400


def test_length_headers_of_the_frameworks() -> None:
    """A framework's body needs a length, which is read as WSGI's is."""
    assert check_length(None, 100) is None
    assert require_length("100", 100) == 100
    with pytest.raises(Refusal) as caught:
        require_length(None, 100)
    assert caught.value.response.status == 411
