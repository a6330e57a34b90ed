"""The question to the app: does its webhook take what is signed, and only that?"""

from __future__ import annotations

from collections.abc import Iterator

from gae_pusher.deploy.asking import signed_webhook, status_of
from gae_pusher.deploy.outcome import Outcome
from gae_pusher.pusher import Pusher

__all__ = ["ask_webhook"]


def ask_webhook(url: str, pusher: Pusher) -> Iterator[Outcome]:
    """A signed webhook without events must be answered with 2xx, an unsigned one must not."""
    webhook = signed_webhook(pusher, [])
    status = status_of("POST", url, **webhook)
    yield Outcome("webhook", _is_success(status), f"{url} answered {status}", _advice(status))
    if not _is_success(status):
        yield Outcome("forged webhook", None, "the signed one was not taken either")
        return
    status = status_of("POST", url, data=webhook["data"], headers={"X-Pusher-Key": pusher.key})
    do = (
        ""
        if not _is_success(status)
        else "Verify webhooks: anybody can forge these. See WebhookApp."
    )
    ok = not _is_success(status) if isinstance(status, int) else None
    yield Outcome("forged webhook", ok, f"without a signature it answered {status}", do)


def _is_success(status: int | str) -> bool:
    return isinstance(status, int) and 200 <= status < 300


def _advice(status: int | str) -> str:
    if _is_success(status):
        return ""
    match status:
        case 401 | 403:
            return "The version that serves has another key or secret than this environment."
        case 404 | 405:
            return "Mount the webhook endpoint there, or name its URL with --webhook."
        case 301 | 302 | 307 | 308:
            return "It redirects, and webhooks follow nothing: is it https, without a login?"
        case _:
            return "See `gcloud app logs tail`."
