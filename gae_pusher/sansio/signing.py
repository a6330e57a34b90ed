"""Signatures: what is signed, how, and how two are compared (protocol sections 1.10 and 5.4)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = [
    "Credentials",
    "body_md5",
    "sign",
    "signature_matches",
    "signed_params",
    "string_to_sign",
]

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Credentials:
    """One key and its secret; the secret stays out of the repr."""

    key: str
    secret: str = field(repr=False)


def sign(secret: str, text: str | bytes) -> str:
    """HMAC-SHA256 of a text (as UTF-8) or of bytes, in lower-case hex."""
    signer = _keyed(secret).copy()
    signer.update(text.encode() if isinstance(text, str) else text)
    return signer.hexdigest()


@lru_cache(maxsize=32)
def _keyed(secret: str) -> hmac.HMAC:
    """To set up a key takes OpenSSL several times as long as to sign a request with it."""
    return hmac.new(secret.encode(), digestmod="sha256")


def signature_matches(secret: str, text: str | bytes, signature: str) -> bool:
    """Whether `signature` is the one of `text`, in time that says nothing about the difference."""
    return hmac.compare_digest(sign(secret, text).encode(), signature.encode("utf-8", "replace"))


def body_md5(body: bytes) -> str:
    """The checksum that binds a body to the signed query: MD5 in lower-case hex."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def string_to_sign(method: str, path: str, params: Iterable[tuple[str, str]]) -> str:
    """Method, path and sorted raw parameters, one per line; values are not percent-encoded.

    `path` starts at /apps/: a proxy's prefix is no part of it. `params` must not hold
    auth_signature.
    """
    lowered = sorted([(key.lower(), value) for key, value in params])
    query = "&".join([f"{key}={value}" for key, value in lowered])
    return f"{method.upper()}\n{path}\n{query}"


def signed_params(
    method: str, path: str, params: Params, body: bytes | None, credentials: Credentials, now: float
) -> Params:
    """The whole query of a request: its own parameters, the auth ones, and the signature last.

    `now` is the time of sending in unix seconds: the service accepts it for 600 s either way.
    """
    auth = [
        ("auth_key", credentials.key),
        ("auth_timestamp", str(int(now))),
        ("auth_version", "1.0"),
    ]
    if body:
        auth.append(("body_md5", body_md5(body)))
    every = (*params, *auth)
    signature = sign(credentials.secret, string_to_sign(method, path, every))
    return (*every, ("auth_signature", signature))
