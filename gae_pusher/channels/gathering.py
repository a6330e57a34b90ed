"""Many futures of NDB as one, in linear time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gae_pusher.channels.ndb import Future

__all__ = ["gather"]


def gather(futures: Iterable[Any]) -> Future:
    """One future of the results of many, in order, to be yielded in a tasklet.

    Takes any futures of Cloud NDB. Settled with the first error that comes, when one does; the
    others run on. To yield a list does the same, in time that grows with the list's square.
    """
    return _Gathering(list(futures)).future


class _Gathering:
    def __init__(self, futures: list[Any]) -> None:
        self.future = Future("gather")
        self._futures = futures
        self._left = len(futures)
        if not futures:
            self.future.set_result([])
        for future in futures:
            future.add_done_callback(self._done)

    def _done(self, done: Any) -> None:
        self._left -= 1
        error = done.exception()
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        elif not self._left:
            self.future.set_result([future.result() for future in self._futures])
