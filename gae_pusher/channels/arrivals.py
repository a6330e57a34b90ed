"""The engine's answers on their way to an event loop of NDB, as many at a time as have come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

__all__ = ["Arrivals"]

_Taker = Callable[[Future[Any]], None]


class Arrivals:
    """Has the loop's `queue_rpc` and `queue_call`, the first for a fraction of its price.

    An entry in the loop's queue costs several times what one here does. So there is one at most:
    a bell, which the first answer rings, and after which the loop takes all that have come.
    """

    def __init__(self, loop: Any) -> None:
        self.queue_call = loop.queue_call
        self._loop = loop
        self._expected = 0
        self._listening = False
        self._come: deque[tuple[_Taker, Future[Any]]] = deque()
        self._bell: deque[Future[None]] = deque()  # one or none; a deque's methods are atomic

    def queue_rpc(self, answer: Future[Any], taker: _Taker) -> None:
        """Call `taker` with the answer, on this thread, once it is there and the loop runs."""
        self._expected += 1
        if not self._listening:
            self._listen()
        answer.add_done_callback(partial(self._arrive, taker))

    def _arrive(self, taker: _Taker, answer: Future[Any]) -> None:
        """On any thread."""
        self._come.append((taker, answer))
        self._ring()

    def _ring(self) -> None:
        if self._bell:
            with suppress(IndexError):  # somebody was faster
                self._bell.popleft().set_result(None)

    def _listen(self) -> None:
        self._listening = True
        bell: Future[None] = Future()
        self._loop.queue_rpc(bell, self._take)
        self._bell.append(bell)
        if self._come:  # they found no bell
            self._ring()

    def _take(self, _bell: Future[None]) -> None:
        """What comes meanwhile waits for the next bell: others have their turn before."""
        self._listening = False
        here = len(self._come)
        # Before anything else, as a taker may run the loop, or raise. Not for a single answer that
        # is here: nobody would ring again.
        if self._expected > min(here, 1):
            self._listen()
        for _ in range(here):
            if not self._come:  # a loop within this one has taken them
                break
            taker, answer = self._come.popleft()
            self._expected -= 1
            taker(answer)
