"""A new version is asked a few questions before it gets any traffic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from gae_pusher.errors import PusherError
from gae_pusher.pusher import Pusher
from gae_pusher.sansio.signing import sign

__all__ = ["Endpoints", "Outcome", "smoke_test"]

_TIMEOUT_SECONDS = 30  # a first request starts an instance
_SOCKET_ID = "1.1"
CHANNEL = "gae-pusher-smoke-test"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Paths of the app; an empty one is not asked."""

    health: str = "/_ah/warmup"
    authorization: str = "/pusher/auth"
    webhook: str = "/pusher/webhook"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question showed. `ok` is None when it could not be asked here."""

    question: str
    ok: bool | None
    detail: str


def smoke_test(base_url: str, endpoints: Endpoints, pusher: Pusher | None) -> Iterator[Outcome]:
    """Ask a version at `base_url`; `pusher` is the app's own configuration, as it is here."""
    with requests.Session() as session:
        if endpoints.health:
            yield _health(session, base_url + endpoints.health)
        if endpoints.authorization:
            yield _authorization(session, base_url + endpoints.authorization)
        if endpoints.webhook:
            yield _webhook(session, base_url + endpoints.webhook, pusher)
    yield _event(pusher)


def _health(session: requests.Session, url: str) -> Outcome:
    return _judge("health", url, lambda: session.get(url, timeout=_TIMEOUT_SECONDS), {200, 204})


def _authorization(session: requests.Session, url: str) -> Outcome:
    """Nobody is signed in: a refusal is as good as a token, a 404 or a 500 is not."""
    form = {"socket_id": _SOCKET_ID, "channel_name": f"private-{CHANNEL}"}
    return _judge(
        "authorization",
        url,
        lambda: session.post(url, data=form, timeout=_TIMEOUT_SECONDS),
        {200, 401, 403},
    )


def _webhook(session: requests.Session, url: str, pusher: Pusher | None) -> Outcome:
    if pusher is None:
        return Outcome("webhook", None, "no PUSHER_URL here to sign one with")
    body = json.dumps({"time_ms": int(time.time() * 1000), "events": []}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Pusher-Key": pusher.key,
        "X-Pusher-Signature": sign(pusher.secret, body),
    }
    return _judge(
        "webhook",
        url,
        lambda: session.post(url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS),
        {200, 201, 202, 204},
    )


def _judge(
    question: str, url: str, ask: Callable[[], requests.Response], good: set[int]
) -> Outcome:
    try:
        status = ask().status_code
    except requests.RequestException as error:
        return Outcome(question, False, f"{url}: {type(error).__name__}")
    return Outcome(question, status in good, f"{url} answered {status}")


def _event(pusher: Pusher | None) -> Outcome:
    if pusher is None:
        return Outcome("event", None, "no PUSHER_URL here to trigger one with")
    try:
        pusher.trigger(CHANNEL, "deployed", {})
    except PusherError as error:
        return Outcome("event", False, str(error))
    return Outcome("event", True, f"accepted by {pusher.host}")
