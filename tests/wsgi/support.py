"""What the tests of the WSGI apps and the frameworks share: an app, signed requests, a client."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from webtest import TestApp

from gae_pusher import Pusher
from gae_pusher.sansio.signing import sign

KEY = "9c1e7f0a2b3d4e5f6071"
SECRET = "7d3b5c9e1f2a4b6c8d0e"
SOCKET_ID = "5120.77341"
FORM = "application/x-www-form-urlencoded"


def make_pusher(**options: Any) -> Pusher:
    return Pusher("81", KEY, SECRET, **options)


def envelope(*events: Mapping[str, Any], age_seconds: float = 0) -> bytes:
    time_ms = int((time.time() - age_seconds) * 1000)
    return json.dumps({"time_ms": time_ms, "events": events}).encode()


def signed(body: bytes, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    return {
        "X-Pusher-Key": key,
        "X-Pusher-Signature": sign(secret, body),
        "Content-Type": "application/json",
    }


def client(app: Callable[..., Any]) -> Any:
    """A webtest client; both sides of the app are held to PEP 3333."""
    return TestApp(validator(app))


def deliver(app: Callable[..., Any], *events: Mapping[str, Any], status: int = 200) -> Any:
    body = envelope(*events)
    return client(app).post("/", body, headers=signed(body), status=status)


class Input(io.BytesIO):
    """A request's body that counts what was asked of it and answers in small pieces."""

    def __init__(self, data: bytes, piece: int = 7_000) -> None:
        super().__init__(data)
        self.asked = 0
        self._piece = piece

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "a read without a size may block for ever"
        self.asked += size
        return super().read(min(size, self._piece))


def call(app: Callable[..., Any], **environ: Any) -> tuple[int, dict[str, str], bytes]:
    """Call an app with an environ that no client library would make."""
    setup_testing_defaults(environ)
    heard: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        heard.extend((int(status[:3]), dict(headers)))

    body = b"".join(app(environ, start_response))
    return cast("tuple[int, dict[str, str], bytes]", (*heard, body))
