"""Questions to the Channels API: does it know us, and do our clocks agree?"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

import requests

from gae_pusher.config import Config
from gae_pusher.deploy.outcome import Outcome
from gae_pusher.errors import PusherError, ResponseError, TransportError
from gae_pusher.pusher import Pusher

__all__ = ["ask_clock", "ask_credentials", "judge_clock"]

# Requests are refused from 600 seconds on (protocol section 1.2); a clock that drifts gets there.
_TOLERABLE_SECONDS: Final = 60


def ask_credentials(pusher: Pusher) -> Outcome:
    """Whether the HTTP API takes this key and secret."""
    try:
        pusher.channels_info()
    except TransportError as error:
        do = "Look at PUSHER_CLUSTER or PUSHER_HOST, and at proxies and firewalls."
        return Outcome("credentials", False, str(error), do)
    except ResponseError as error:
        return Outcome("credentials", False, str(error), _advice(error.body, pusher.config))
    except PusherError as error:
        return Outcome("credentials", False, str(error))
    return Outcome("credentials", True, f"{pusher.host} knows key {pusher.key}")


def ask_clock(config: Config, now: float) -> Outcome:
    """Whether this machine's clock agrees with the service's, by the Date of an answer."""
    proxies = {config.scheme: config.http_proxy} if config.http_proxy else None
    try:
        answer = requests.get(
            config.base_url,
            timeout=config.timeout,
            proxies=proxies,
            verify=config.ca_certs or True,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return Outcome("clock", None, f"{config.base_url}: {type(error).__name__}")
    return judge_clock(answer.headers.get("Date"), now)


def judge_clock(date: str | None, now: float) -> Outcome:
    """What an answer's Date says about the clock of this machine."""
    try:
        skew = now - parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return Outcome("clock", None, "the service's answers have no date")
    if abs(skew) < _TOLERABLE_SECONDS:
        return Outcome("clock", True, f"{abs(skew):.0f} s apart")
    way = "ahead of" if skew > 0 else "behind"
    do = "Set the clock, by NTP for example: from 600 s on every request is refused."
    return Outcome("clock", False, f"{abs(skew):.0f} s {way} the service", do)


def _advice(body: str, config: Config) -> str:
    text = body.lower()
    if "invalid signature" in text:
        return "The key is known, the secret is another one: copy it from the dashboard again."
    if "timestamp expired" in text:
        return "Set the clock of this machine."
    if "unknown auth_key" in text or "cluster" in text:
        where = f"cluster {config.cluster}" if config.cluster else config.host
        return f"{where} does not know the key: is it another cluster's? See PUSHER_CLUSTER."
    return "Compare PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER with the dashboard."
