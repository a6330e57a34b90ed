"""End-to-end encrypted channels: NaCl secretbox under a key per channel (protocol section 6)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.errors import ConfigurationError, DecryptionFailed, MissingMasterKey

if TYPE_CHECKING:
    from nacl.secret import SecretBox

__all__ = ["NONCE_BYTES", "channel_key", "open_envelope", "open_with_key", "seal", "shared_secret"]

NONCE_BYTES: Final = 24


def channel_key(channel: str, master_key: bytes | None) -> bytes:
    """The 32-byte key of one channel: SHA-256 of its name and the master key.

    Raises MissingMasterKey when no master key is configured.
    """
    if master_key is None:
        raise MissingMasterKey(
            f"channel {channel!r} is end-to-end encrypted: configure encryption_master_key_base64"
        )
    return hashlib.sha256(channel.encode() + master_key).digest()


def shared_secret(channel: str, master_key: bytes | None) -> str:
    """The channel's key in base64, as an authorization answer carries it."""
    return _base64(channel_key(channel, master_key))


def seal(channel: str, text: str, master_key: bytes | None, nonce: bytes) -> str:
    """The envelope that travels as `data`. `nonce` is 24 random bytes, never used twice.

    Raises MissingMasterKey, and ConfigurationError when PyNaCl is not installed.
    """
    key = channel_key(channel, master_key)
    ciphertext = _box(key).encrypt(text.encode(), nonce).ciphertext
    return f'{{"nonce":"{_base64(nonce)}","ciphertext":"{_base64(ciphertext)}"}}'


def open_envelope(channel: str, envelope: str, master_key: bytes | None) -> str:
    """The text that `seal` was given.

    Raises DecryptionFailed for another key, an altered text or no envelope at all.
    """
    return open_with_key(channel, envelope, channel_key(channel, master_key))


def open_with_key(channel: str, envelope: str, key: bytes) -> str:
    """The text in an envelope, for who has the channel's key and not the master key.

    Raises DecryptionFailed as `open_envelope` does.
    """
    box = _box(key)
    try:
        fields: Any = json.loads(envelope)
        nonce = base64.b64decode(fields["nonce"], validate=True)
        ciphertext = base64.b64decode(fields["ciphertext"], validate=True)
        return box.decrypt(ciphertext, nonce).decode()
    except Exception as error:
        raise DecryptionFailed(
            f"an event on {channel!r} cannot be decrypted: it was made with another key"
        ) from error


def _box(key: bytes) -> SecretBox:
    try:
        from nacl.secret import SecretBox
    except ImportError as error:
        raise ConfigurationError(
            "encrypted channels need PyNaCl: pip install 'gae-pusher[encryption]'"
        ) from error
    return SecretBox(key)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
