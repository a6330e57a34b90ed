"""Who may use the controls: this machine, asking by a loopback name, from a loopback page.

A hostile web page can make a browser send requests here: to a name of its own that resolves to
127.0.0.1 (which shows in Host), or across sites (which shows in Origin).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from gae_pusher.emulator.loopback import is_loopback

__all__ = ["control_refusal", "reachable"]


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def control_refusal(peer: str | None, host: str | None, origin: str | None) -> str | None:
    """Why a request may not reach the controls, or None when it may.

    `peer` is the address that the connection came from, the others are request headers.
    """
    if not is_loopback(peer or ""):
        return "The controls answer connections from this machine only."
    if not is_loopback(_hostname(f"//{host}")):
        return "The controls answer only when the Host header names localhost."
    if origin is not None and not is_loopback(_hostname(origin)):
        return "The controls do not answer pages of other sites."
    return None


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
