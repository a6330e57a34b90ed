"""A webhook is believed only when its signature holds and its time is near."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import errors
from gae_pusher.sansio.encryption import seal
from gae_pusher.sansio.events import ChannelOccupied
from gae_pusher.sansio.signing import sign
from gae_pusher.sansio.webhooks import Webhook

NOW = 1_767_225_600
KEYS = {"new": "secret-2", "old": "secret-1"}
MASTER_KEY = bytes(range(32))
VAULT = "private-encrypted-vault"


def webhook(body: bytes, key: str = "new", **options: Any) -> Webhook:
    """A webhook whose signature holds."""
    return Webhook(body, key, sign(KEYS[key], body), KEYS, NOW, **options)


def envelope(*events: Any, time_ms: Any = NOW * 1000) -> bytes:
    return json.dumps({"time_ms": time_ms, "events": events}).encode()


BODY = envelope({"name": "channel_occupied", "channel": "c"})


def test_an_authentic_webhook() -> None:
    """Its events come as dicts and as values."""
    hook = webhook(BODY)
    assert hook.valid()
    assert hook.events() == [{"name": "channel_occupied", "channel": "c"}]
    assert hook.typed_events() == [ChannelOccupied("c")]
    assert hook.verify() == json.loads(BODY)


def test_every_live_key_is_accepted() -> None:
    """While keys are being changed the service signs with the oldest active one."""
    assert webhook(BODY, "old").valid()
    assert webhook(BODY, "new").valid()


def test_a_key_goes_with_its_own_secret_only() -> None:
    """The secret of one live key does not sign for another."""
    with pytest.raises(errors.SignatureMismatch):
        Webhook(BODY, "old", sign(KEYS["new"], BODY), KEYS, NOW).verify()


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    """A change anywhere in the body or in the signature is noticed."""
    at = data.draw(st.integers(0, len(BODY) * 8 - 1))
    body = bytearray(BODY)
    body[at // 8] ^= 1 << at % 8
    hook = Webhook(bytes(body), "new", sign(KEYS["new"], BODY), KEYS, NOW)
    assert not hook.valid()
    signature = bytearray(sign(KEYS["new"], BODY), "ascii")
    at = data.draw(st.integers(0, len(signature) * 7 - 1))
    signature[at // 7] ^= 1 << at % 7
    assert not Webhook(BODY, "new", signature.decode("ascii"), KEYS, NOW).valid()


@pytest.mark.parametrize(
    ("key", "signature", "error"),
    [
        (None, "x", errors.MissingHeader),
        ("", "x", errors.MissingHeader),
        ("new", None, errors.MissingHeader),
        ("new", "", errors.MissingHeader),
        ("other", "x", errors.UnknownKey),
        ("new", "x", errors.SignatureMismatch),
        ("new", "é", errors.SignatureMismatch),
    ],
)
def test_headers_that_do_not_prove_anything(
    key: str | None, signature: str | None, error: type[errors.WebhookError]
) -> None:
    """Each has an error of its own, raised before the body is parsed, and valid() is False."""
    hook = Webhook(b"no json", key, signature, KEYS, NOW)
    with pytest.raises(error):
        hook.verify()
    with pytest.raises(error):
        hook.events()
    assert not hook.valid()


def test_the_missing_header_is_named() -> None:
    """The error says which header to look for."""
    with pytest.raises(errors.MissingHeader, match="X-Pusher-Signature") as caught:
        Webhook(BODY, "new", None, KEYS, NOW).verify()
    assert caught.value.header == "X-Pusher-Signature"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"5",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"time_ms":"1767225600000","events":[]}',
        b'{"time_ms":1767225600000.5,"events":[]}',
        b'{"time_ms":true,"events":[]}',
        b'{"time_ms":-1,"events":[]}',
        b'{"time_ms":1' + b"0" * 400 + b',"events":[]}',
        b'{"time_ms":1767225600000}',
        b'{"time_ms":1767225600000,"events":{}}',
        b'{"time_ms":1767225600000,"events":["x"]}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_a_signed_body_of_another_shape_is_malformed(body: bytes) -> None:
    """Whatever the service would send by mistake is an error of ours, not of a codec."""
    with pytest.raises(errors.MalformedWebhook):
        webhook(body).verify()
    assert not webhook(body).valid()


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (-601, "601 seconds ahead of this clock"),
        (601, "601 seconds old"),
        (86_400, "86400 seconds old"),
    ],
)
def test_a_webhook_outside_the_window_is_stale(age: int, words: str) -> None:
    """A replay, or one from the future, is refused with its age."""
    hook = webhook(envelope(time_ms=(NOW - age) * 1000))
    with pytest.raises(errors.StaleWebhook, match=f"is {words}, the window is 600") as caught:
        hook.verify()
    assert caught.value.age_seconds == age


@pytest.mark.parametrize("age", [-600, 0, 301, 600])
def test_a_late_retry_is_inside_the_window(age: int) -> None:
    """The service retries for five minutes with the old time, so 301 seconds are fine."""
    assert webhook(envelope(time_ms=(NOW - age) * 1000)).valid()


def test_the_window_is_a_setting() -> None:
    """It can be narrowed and, with infinity, opened."""
    body = envelope(time_ms=(NOW - 3600) * 1000)
    assert webhook(body, max_age_seconds=3600).valid()
    assert webhook(body, max_age_seconds=float("inf")).valid()
    assert not webhook(body, max_age_seconds=3599).valid()


def test_an_encrypted_client_event_is_decrypted() -> None:
    """Its data is plain text again; every other event, and what is no envelope, stays as it is."""
    event = {"name": "client_event", "channel": VAULT, "event": "client-e", "socket_id": "1.2"}
    sealed = seal(VAULT, '{"pin":1}', MASTER_KEY, bytes(24))
    others = [
        {**event, "data": "no envelope"},
        {**event, "channel": "private-desk", "data": sealed},
        {**event, "data": 5},
        {"name": "channel_occupied", "channel": VAULT},
        {"name": "cache_miss", "channel": 5},
    ]
    body = envelope({**event, "data": sealed}, *others)
    hook = webhook(body, encryption_master_key=MASTER_KEY)
    assert hook.events() == [{**event, "data": '{"pin":1}'}, *others]
    assert webhook(body).events()[0]["data"] == sealed


def test_the_json_decoder_is_honoured() -> None:
    """A decoder class of the caller reads the body."""

    class Exact(json.JSONDecoder):
        def __init__(self, **options: Any) -> None:
            super().__init__(parse_float=Decimal, **options)

    hook = webhook(envelope({"name": "x", "n": 0.1}), decoder=Exact)
    assert hook.events() == [{"name": "x", "n": Decimal("0.1")}]


def test_neither_body_nor_signature_nor_secret_is_in_the_repr() -> None:
    """A webhook may be logged."""
    hook = webhook(BODY, encryption_master_key=MASTER_KEY)
    for hidden in ("secret", "channel_occupied", str(hook.signature), "MASTER"):
        assert hidden not in repr(hook)
