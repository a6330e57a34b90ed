"""Encrypted events come back whole, or not at all."""

from __future__ import annotations

import base64
import builtins
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.secret import SecretBox

from gae_pusher.errors import ConfigurationError, DecryptionFailed, MissingMasterKey
from gae_pusher.sansio import encryption

KEY = bytes(range(32))
NONCE = bytes(range(24))
CHANNEL = "private-encrypted-vault"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, st.binary(min_size=24, max_size=24), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_comes_back(text: str, nonce: bytes, key: bytes) -> None:
    """Any text survives encryption under any key and nonce."""
    assert (
        encryption.open_envelope(CHANNEL, encryption.seal(CHANNEL, text, key, nonce), key) == text
    )


@given(st.data())
def test_an_altered_envelope_is_refused(data: st.DataObject) -> None:
    """One flipped bit in the nonce or the ciphertext is noticed."""
    fields = json.loads(encryption.seal(CHANNEL, "the text", KEY, NONCE))
    name = data.draw(st.sampled_from(["nonce", "ciphertext"]))
    raw = bytearray(base64.b64decode(fields[name]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    fields[name] = base64.b64encode(bytes(raw)).decode()
    with pytest.raises(DecryptionFailed, match="cannot be decrypted"):
        encryption.open_envelope(CHANNEL, json.dumps(fields), KEY)


@given(TEXT)
def test_what_is_no_envelope_is_refused(text: str) -> None:
    """Any other text gives DecryptionFailed, never an error of a codec."""
    with pytest.raises(DecryptionFailed):
        encryption.open_envelope(CHANNEL, text, KEY)


def test_each_channel_has_its_own_key() -> None:
    """An envelope of one channel does not open as one of another."""
    envelope = encryption.seal(CHANNEL, "x", KEY, NONCE)
    with pytest.raises(DecryptionFailed):
        encryption.open_envelope(CHANNEL + "2", envelope, KEY)


def test_the_shared_secret_opens_the_envelope() -> None:
    """What the browser gets with its authorization decrypts what it gets as an event."""
    fields = json.loads(encryption.seal(CHANNEL, "zoë", KEY, NONCE))
    box = SecretBox(base64.b64decode(encryption.shared_secret(CHANNEL, KEY)))
    nonce, ciphertext = (base64.b64decode(fields[name]) for name in ("nonce", "ciphertext"))
    assert box.decrypt(ciphertext, nonce).decode() == "zoë"


def test_without_a_master_key_the_option_is_named() -> None:
    """Sealing and authorizing say which setting is missing."""
    with pytest.raises(MissingMasterKey, match="encryption_master_key_base64"):
        encryption.seal(CHANNEL, "x", None, NONCE)
    with pytest.raises(MissingMasterKey):
        encryption.shared_secret(CHANNEL, None)


def test_without_pynacl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is a clear error that says what to install."""
    original = builtins.__import__

    def without_nacl(name: str, *args: Any) -> Any:
        if name.startswith("nacl"):
            raise ImportError(name)
        return original(name, *args)

    monkeypatch.delitem(sys.modules, "nacl.secret")
    monkeypatch.setattr(builtins, "__import__", without_nacl)
    with pytest.raises(ConfigurationError, match=r"pip install 'gae-pusher\[encryption\]'"):
        encryption.seal(CHANNEL, "x", KEY, NONCE)
