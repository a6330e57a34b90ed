"""Answers of the HTTP API become values or errors that say what to do."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import errors
from gae_pusher.sansio.http import Response
from gae_pusher.sansio.responses import error_for, json_object

PLAIN = json.JSONDecoder


@pytest.mark.parametrize(
    ("status", "body", "value"),
    [(200, b'{"a":1}', {"a": 1}), (202, b"{}", {}), (204, b"", {}), (200, b"", {})],
)
def test_a_success_is_a_json_object(status: int, body: bytes, value: object) -> None:
    """Any 2xx with a JSON object counts, and an empty body is an empty object."""
    assert json_object(Response(status, body), PLAIN) == value


@pytest.mark.parametrize(
    "body", [b"OK", b"[]", b"5", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":', b"<html>"]
)
def test_a_success_that_is_no_json_object_is_the_servers_fault(body: bytes) -> None:
    """A proxy's page or garbage is RemoteProtocolError, whatever it holds, and is not quoted."""
    with pytest.raises(errors.RemoteProtocolError, match=f"{len(body)} bytes that are no JSON"):
        json_object(Response(200, body), PLAIN)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(401, errors.AuthenticationError), (404, errors.NotFound), (429, errors.RateLimited)],
)
def test_a_refusal_with_status_200_is_a_refusal(code: int, kind: type[Exception]) -> None:
    """Soketi answers 200 whatever it means: its refusal is never taken for an accepted event."""
    with pytest.raises(kind, match="no such luck"):
        json_object(Response(200, b'{"error":"no such luck","code":%d}' % code), PLAIN)


def test_the_json_decoder_is_honoured() -> None:
    """A decoder class of the caller reads the answers."""

    class Ordered(json.JSONDecoder):
        def __init__(self, **options: Any) -> None:
            super().__init__(object_pairs_hook=OrderedDict, **options)

    assert type(json_object(Response(200, b'{"a":1}'), Ordered)) is OrderedDict
    assert type(json_object(Response(200, b"{}"), Ordered)) is OrderedDict


def test_a_json_decoder_is_made_anew_for_each_answer() -> None:
    """As `json.loads` does it: a decoder that counts or collects sees one answer alone."""

    class Counting(json.JSONDecoder):
        def __init__(self, **options: Any) -> None:
            self.seen = 0
            super().__init__(object_hook=self._numbered, **options)

        def _numbered(self, fields: dict[str, Any]) -> dict[str, Any]:
            self.seen += 1
            return {**fields, "seen": self.seen}

    answers = [json_object(Response(200, b'{"a":1}'), Counting) for _ in range(2)]
    assert answers == [{"a": 1, "seen": 1}] * 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.UnexpectedStatus),
        (400, errors.BadRequest),
        (401, errors.AuthenticationError),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (418, errors.UnexpectedStatus),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[Exception]) -> None:
    """The error has the status, the service's words, and a hint."""
    error = error_for(Response(status, b"Some words\n"))
    assert type(error) is kind
    assert (error.status, error.body) == (status, "Some words")
    assert str(error).startswith(f"the service answered {status}: Some words (")


def test_an_unknown_key_is_explained() -> None:
    """Only a 400 that is about the key speaks of keys and clusters."""
    assert "wrong cluster" in str(error_for(Response(400, b"Unknown auth_key\n")))
    assert "cluster" not in str(error_for(Response(400, b"Batch too large (11 > 10)\n")))


def test_the_signature_that_a_401_quotes_is_not_shown() -> None:
    """The service quotes what it signed, which helps, and what we sent, which is kept out."""
    said = (
        b'Invalid signature: you should have sent HmacSHA256Hex("GET\\n/apps/1", your_secret_key), '
    )
    error = error_for(Response(401, said + b'but you sent "5ec2e7"\n'))
    assert "HmacSHA256Hex" in str(error)
    assert "5ec2e7" not in str(error)


@given(st.binary(max_size=2000), st.integers(300, 599))
def test_no_body_breaks_the_error(body: bytes, status: int) -> None:
    """Binary garbage and long pages give a text of bounded length."""
    assert len(str(error_for(Response(status, body)))) < 450
