"""Servers for the tests of applications: shipped, typed, tested. Imported when first named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gae_pusher.extras import needing

if TYPE_CHECKING:
    from gae_pusher.testing.channels import RunningServer, running_server

__all__ = ["RunningServer", "running_server"]

_LAZY = {
    "RunningServer": "gae_pusher.testing.channels",
    "running_server": "gae_pusher.testing.channels",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        with needing(f"{__name__}.{name}", "gae-pusher[emulators]"):
            return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
