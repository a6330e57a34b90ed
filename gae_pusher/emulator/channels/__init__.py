"""A local server that speaks the Channels protocol, for development and tests.

`server.py` has the server itself; all that is named here needs no library.
"""

from __future__ import annotations

from gae_pusher.emulator.channels.faults import Fault
from gae_pusher.emulator.channels.log import Entry, Log
from gae_pusher.emulator.channels.settings import (
    DEVELOPMENT_APP,
    App,
    AppLimits,
    Features,
    Settings,
    WebhookEndpoint,
    WebhookTiming,
)

__all__ = [
    "DEVELOPMENT_APP",
    "App",
    "AppLimits",
    "Entry",
    "Fault",
    "Features",
    "Log",
    "Settings",
    "WebhookEndpoint",
    "WebhookTiming",
]
