"""Whether a request of the HTTP API is authentic, refused in the service's order and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Final
from urllib.parse import parse_qsl, unquote

from gae_pusher import limits
from gae_pusher.emulator.channels.settings import App
from gae_pusher.sansio.signing import body_md5, signature_matches, string_to_sign

__all__ = ["ApiError", "ApiRequest", "check_authentic"]

Pairs = tuple[tuple[str, str], ...]

_AUTH_PARAMETERS: Final = ("auth_key", "auth_timestamp", "auth_version", "auth_signature")


class ApiError(Exception):
    """An answer that is no: a status and a text that ends in a newline, not JSON."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as it came: method, undecoded path, undecoded query, body."""

    method: str
    raw_path: str
    raw_query: str
    body: bytes

    @property
    def segments(self) -> tuple[str, ...]:
        """The decoded parts of the path."""
        return tuple(unquote(part) for part in self.raw_path.strip("/").split("/"))

    @property
    def pairs(self) -> Pairs:
        """The decoded query in its order."""
        return tuple(parse_qsl(self.raw_query, keep_blank_values=True, errors="replace"))

    @property
    def params(self) -> Mapping[str, str]:
        """The decoded query by name."""
        return dict(self.pairs)


def check_authentic(request: ApiRequest, app: App, wall: float) -> None:
    """Raise ApiError unless the request is signed by one of the app's keys (section 1.10).

    `wall` is the server's unix time: a request may be 600 s older or newer.
    """
    params = request.params
    for name in _AUTH_PARAMETERS:
        if not params.get(name):
            raise ApiError(401, f"Missing required auth parameter: {name}")
    secret = app.secret_of(params["auth_key"])
    if secret is None:
        raise ApiError(400, "Unknown auth_key")
    if params["auth_version"] != "1.0":
        raise ApiError(401, f"Unsupported auth_version {params['auth_version']!r}, use 1.0")
    _check_timestamp(params["auth_timestamp"], wall)
    _check_signature(request, secret, params["auth_signature"])
    _check_body(request.body, params.get("body_md5"))
    if not app.enabled:
        raise ApiError(403, "App is disabled")


def _check_timestamp(text: str, wall: float) -> None:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ApiError(401, f"auth_timestamp {text[:20]!r} is not a unix time in seconds")
    tolerance = limits.TIMESTAMP_TOLERANCE_SECONDS
    if abs(wall - int(text)) > tolerance:
        raise ApiError(
            401,
            f"Timestamp expired: Given timestamp ({_iso(int(text))}) not within {tolerance}s "
            f"of server time ({_iso(wall)})",
        )


def _check_signature(request: ApiRequest, secret: str, signature: str) -> None:
    texts = list(_signable(request))
    if not any(signature_matches(secret, text, signature) for text in texts):
        shown = texts[0].replace("\n", "\\n")
        raise ApiError(
            401,
            f'Invalid signature: you should have sent HmacSHA256Hex("{shown}", '
            f'your_secret_key), but you sent "{signature}"',
        )


def _check_body(body: bytes, md5: str | None) -> None:
    if md5 is None and not body:
        return
    if md5 != body_md5(body):
        raise ApiError(401, "Invalid body_md5: it is not the MD5 of the body that arrived")


def _signable(request: ApiRequest) -> Iterator[str]:
    """Every text that a correct client may have signed, the documented one first.

    Clients differ in whether they sign decoded text, and in how repeated array parameters enter.
    """
    raw = tuple(
        (name, value) for name, _, value in (p.partition("=") for p in request.raw_query.split("&"))
    )
    paths = dict.fromkeys((unquote(request.raw_path), request.raw_path))
    queries = dict.fromkeys(
        form
        for pairs in (_unsigned(request.pairs), _unsigned(raw))
        for form in (pairs, _joined(pairs, "[]"), _joined(pairs, ""))
    )
    for path, query in product(paths, queries):
        yield string_to_sign(request.method, path, query)


def _unsigned(pairs: Pairs) -> Pairs:
    return tuple((name, value) for name, value in pairs if name.lower() != "auth_signature")


def _joined(pairs: Pairs, suffix: str) -> Pairs:
    """Array parameters as one, comma-joined, with or without their brackets."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        bare, bracket, _ = name.partition("[")
        key = bare + suffix if bracket else name
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return tuple(joined.items())


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
