"""NDB futures that the simulated clock settles, so that real tasklets run in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.cloud import ndb

from benchmarks.scale.clock import Clock

__all__ = ["failed", "later", "run_tasklets"]


def later(clock: Clock, seconds: float, action: Callable[[], Any]) -> ndb.Future:
    """A future of what `action` returns or raises, in so many simulated seconds."""
    future = ndb.Future()

    def complete() -> None:
        try:
            future.set_result(action())
        except Exception as error:
            future.set_exception(error)
        run_tasklets()

    clock.after(seconds, complete)
    return future


def failed(clock: Clock, seconds: float, error: Exception) -> ndb.Future:
    """A future that fails in so many simulated seconds."""

    def fail() -> None:
        raise error

    return later(clock, seconds, fail)


def run_tasklets() -> None:
    """Let every tasklet go on that can."""
    loop = ndb.get_context().eventloop
    while loop.run0() == 0:
        pass
