"""HTTP questions to a deployed app, and webhooks as the service signs them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from gae_pusher.pusher import Pusher
from gae_pusher.sansio.signing import sign

__all__ = ["signed_webhook", "status_of"]

_TIMEOUT_SECONDS = 30  # a first request starts an instance


def signed_webhook(pusher: Pusher, events: Sequence[Any]) -> dict[str, Any]:
    """The `data` and `headers` of a webhook of now, signed with the app's secret."""
    body = json.dumps({"time_ms": int(time.time() * 1000), "events": events}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Pusher-Key": pusher.key,
        "X-Pusher-Signature": sign(pusher.secret, body),
    }
    return {"data": body, "headers": headers}


def status_of(
    method: str,
    url: str,
    *,
    data: bytes | Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> int | str:
    """The status of an answer, redirects not followed; the name of the error when none came."""
    try:
        return requests.request(
            method,
            url,
            data=data,
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        ).status_code
    except requests.RequestException as error:
        return type(error).__name__
