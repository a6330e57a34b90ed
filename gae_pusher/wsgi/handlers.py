"""What the app's own code hands in: its functions, and its Pusher."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gae_pusher.errors import ConfigurationError
from gae_pusher.pusher import Pusher

__all__ = ["PusherSource", "check_handler", "settled", "source"]

PusherSource = Callable[[], Pusher]


def source(pusher: Pusher | PusherSource) -> PusherSource:
    """A function that returns the Pusher: the given one, or one around the given Pusher."""
    if isinstance(pusher, Pusher):
        return lambda: pusher
    if not callable(pusher):
        raise ConfigurationError(f"{type(pusher).__name__} is no Pusher: pass one, or a function")
    return pusher


def check_handler(handler: Callable[..., object]) -> None:
    """Raises ConfigurationError unless it is a function or a tasklet.

    A coroutine function would never run: WSGI has no event loop to await it.
    """
    if not callable(handler):
        raise ConfigurationError(f"{handler!r} is no function")
    if inspect.iscoroutinefunction(handler):
        raise ConfigurationError(
            f"{handler!r} is an async def: use a plain function or an NDB tasklet"
        )


def settled(result: Any) -> Any:
    """What a function returned; of a future its result, so that an NDB tasklet can be a handler."""
    return result.get_result() if hasattr(result, "get_result") else result
