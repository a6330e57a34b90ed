"""A new version is asked a few questions before it gets any traffic."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any, Final

from gae_pusher.deploy.asking import signed_webhook, status_of
from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.rules.wiring import authorizes_channels, takes_webhooks
from gae_pusher.deploy.outcome import Outcome
from gae_pusher.errors import PusherError
from gae_pusher.pusher import Pusher

__all__ = ["Endpoints", "endpoints_of", "smoke_test"]

_SOCKET_ID: Final = "1.1"
CHANNEL: Final = "gae-pusher-smoke-test"
_ALIVE: Final = range(200, 500)  # an app need not have a home page
_HEALTHY: Final = frozenset({200, 204, 301, 302})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Paths of the app; an empty one is not asked."""

    health: str = ""
    authorization: str = ""
    webhook: str = ""


def endpoints_of(project: Project) -> Endpoints:
    """What an app can be asked, by what its app.yaml and its code say."""
    services = project.app.get("inbound_services")
    warmup = any(entry.value == "warmup" for entry in services.entries()) if services else False
    return Endpoints(
        health="/_ah/warmup" if warmup else "/",
        authorization="/pusher/auth" if authorizes_channels(project) else "",
        webhook="/pusher/webhook" if takes_webhooks(project) else "",
    )


def smoke_test(base_url: str, endpoints: Endpoints, pusher: Pusher | None) -> Iterator[Outcome]:
    """Ask a version at `base_url`; `pusher` is the app's own configuration, as it is here."""
    if endpoints.health:
        good = _ALIVE if endpoints.health == "/" else _HEALTHY
        yield _judge("health", base_url + endpoints.health, good)
    if endpoints.authorization:
        # Nobody is signed in: a refusal is as good as a token, a 404 or a 500 is not.
        form = {"socket_id": _SOCKET_ID, "channel_name": f"private-{CHANNEL}"}
        url = base_url + endpoints.authorization
        yield _judge("authorization", url, {200, 401, 403}, method="POST", data=form)
    if endpoints.webhook and pusher is None:
        yield Outcome("webhook", None, "no PUSHER_URL here to sign one with")
    elif endpoints.webhook and pusher:
        webhook = signed_webhook(pusher, [])
        url = base_url + endpoints.webhook
        yield _judge("webhook", url, {200, 201, 202, 204}, method="POST", **webhook)
    yield _event(pusher)


def _judge(
    question: str, url: str, good: Container[int | str], method: str = "GET", **request: Any
) -> Outcome:
    status = status_of(method, url, **request)
    return Outcome(question, status in good, f"{url} answered {status}")


def _event(pusher: Pusher | None) -> Outcome:
    if pusher is None:
        return Outcome("event", None, "no PUSHER_URL here to trigger one with")
    try:
        pusher.trigger(CHANNEL, "deployed", {})
    except PusherError as error:
        return Outcome("event", False, str(error))
    return Outcome("event", True, f"accepted by {pusher.host}")
