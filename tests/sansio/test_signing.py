"""Signing, checked by a verifier that was written from the protocol's text alone."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.sansio.http import Request
from gae_pusher.sansio.signing import (
    Credentials,
    sign,
    signature_matches,
    signed_params,
    string_to_sign,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.sampled_from(["filter_by_prefix", "info", "Name", "z", "a b&c"])


def verified(method: str, url: str, body: bytes, secret: str) -> bool:
    """What a server does: decode the sent query, rebuild the text, compare."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    got = dict(query).pop("auth_signature")
    rest = sorted((key.lower(), value) for key, value in query if key != "auth_signature")
    text = "\n".join([method, parts.path, "&".join(f"{key}={value}" for key, value in rest)])
    if body and dict(query).get("body_md5") != hashlib.md5(body).hexdigest():
        return False
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest() == got


@given(
    method=st.sampled_from(["GET", "POST"]),
    params=st.dictionaries(KEYS, TEXT, max_size=3),
    body=st.binary(max_size=30),
    secret=TEXT.filter(bool),
    now=st.floats(0, 4e9),
)
def test_a_server_finds_every_signature_right(
    method: str, params: dict[str, str], body: bytes, secret: str, now: float
) -> None:
    """Any query and body, percent-encoded on the wire, verifies against the decoded request."""
    path = "/apps/1/channels"
    signed = signed_params(
        method, path, tuple(params.items()), body, Credentials("key", secret), now
    )
    request = Request(method, "https://h/prefix", path, signed, body)
    url = request.url.replace("/prefix", "")
    assert verified(method, url, body, secret)
    assert not verified(method, url, body + b"x", secret)
    assert not verified(method, url, body, secret + "x")


def test_the_signature_comes_last_and_the_auth_parameters_are_the_protocols() -> None:
    """A GET has no checksum; the time is whole seconds."""
    params = signed_params("GET", "/apps/1/channels", (), None, Credentials("k", "s"), 12.9)
    assert params[:-1] == (("auth_key", "k"), ("auth_timestamp", "12"), ("auth_version", "1.0"))
    assert params[-1][0] == "auth_signature"


def test_the_text_to_sign_is_raw_and_sorted() -> None:
    """Upper-case method, lower-case keys in order, values as they are."""
    text = string_to_sign("post", "/apps/1/events", [("Zed", "ä &"), ("a", "1,2")])
    assert text == "POST\n/apps/1/events\na=1,2&zed=ä &"


@given(st.binary(), st.data())
def test_a_flipped_bit_breaks_a_signature(body: bytes, data: st.DataObject) -> None:
    """Neither another body nor another signature matches."""
    signature = sign("secret", body)
    assert signature_matches("secret", body, signature)
    at = data.draw(st.integers(0, len(signature) - 1))
    altered = signature[:at] + ("0" if signature[at] != "0" else "1") + signature[at + 1 :]
    assert not signature_matches("secret", body, altered)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a comparison must not tell how much of a guess was right."""
    compared = []
    honest = hmac.compare_digest

    def compare_digest(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return honest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    assert not signature_matches("secret", b"body", "guess")
    assert compared == [(sign("secret", b"body").encode(), b"guess")]


def test_a_signature_that_is_no_ascii_is_wrong_not_an_error() -> None:
    """What an attacker sends as a signature never raises."""
    for signature in ("", "é", "\ud800", "0" * 64):
        assert not signature_matches("secret", b"body", signature)


def test_the_secret_stays_out_of_the_repr() -> None:
    """Credentials in a log show the key alone; a request shows no query."""
    assert repr(Credentials("key", "hush")) == "Credentials(key='key')"
    params = signed_params("GET", "/apps/1/x", (), None, Credentials("k", "s"), 1)
    assert dict(params)["auth_signature"] not in repr(Request("GET", "http://h", "/x", params))
