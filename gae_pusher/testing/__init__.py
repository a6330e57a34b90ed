"""Servers for the tests of applications: shipped, typed, tested. Imported when first named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gae_pusher.extras import needing

if TYPE_CHECKING:
    from gae_pusher.testing.channels import RunningServer, running_server
    from gae_pusher.testing.datastore import running_datastore
    from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server

__all__ = [
    "RunningServer",
    "RunningTasksServer",
    "running_datastore",
    "running_server",
    "running_tasks_server",
]

_LAZY = {
    "RunningServer": "gae_pusher.testing.channels",
    "RunningTasksServer": "gae_pusher.testing.tasks",
    "running_datastore": "gae_pusher.testing.datastore",
    "running_server": "gae_pusher.testing.channels",
    "running_tasks_server": "gae_pusher.testing.tasks",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        with needing(f"{__name__}.{name}", "gae-pusher[emulators]"):
            return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
