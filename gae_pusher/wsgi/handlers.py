"""The app's own functions: what may be registered, and what they give back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gae_pusher.errors import ConfigurationError

__all__ = ["check_handler", "settled"]


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
