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
        self._results: list[Any] = [None] * len(futures)
        self._left = len(futures)
        if not futures:
            self.future.set_result([])
        for index, future in enumerate(futures):
            future.add_done_callback(lambda done, index=index: self._done(index, done))

    def _done(self, index: int, done: Any) -> None:
        error = done.exception()
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
            return
        self._results[index] = done.result()
        self._left -= 1
        if not self._left:
            self.future.set_result(self._results)
