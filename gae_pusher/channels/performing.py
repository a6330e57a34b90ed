"""A plan under way beside an event loop of NDB. Its loop needs `queue_rpc` and `queue_call`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future as EngineFuture
from typing import Any

from gae_pusher.errors import PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Attempt, Pause, Steps

__all__ = ["Performance"]

Submit = Callable[[Request, float], EngineFuture[Response]]
Done = Callable[[Any, Exception | None], None]


class Performance:
    """Moves a plan's steps until `done` gets the answer or the error, unless all futures are done.

    What is under way comes back through the loop's queue; who cannot return to the loop may wait
    for `under_way` and call `advance` with it, or for the monotonic time `due` of a pause's end
    and call `resume`: the loop finds nothing left to do then.
    """

    def __init__(
        self,
        loop: Any,
        submit: Submit,
        timeout: float,
        steps: Steps[Any],
        futures: Sequence[Any],
        done: Done,
    ) -> None:
        self.under_way: EngineFuture[Response] | None = None
        self.due: float | None = None
        self._timeout = timeout
        self._loop = loop
        self._submit = submit
        self._steps: Steps[Any] | None = steps
        self._futures = futures
        self._done: Done | None = done

    def start(self) -> None:
        """Send the first request."""
        assert self._steps is not None
        self._move(self._steps.send, None)

    def advance(self, answer: EngineFuture[Response]) -> None:
        """Take an answer that has come; one that was taken before is left alone."""
        if answer is not self.under_way or self._steps is None:
            return
        self.under_way = None
        if self._is_cancelled():
            return
        error = answer.exception()
        if error is None:
            self._move(self._steps.send, answer.result())
        else:
            self._move(self._steps.throw, error)

    def resume(self) -> None:
        """Go on after a pause, unless somebody did before."""
        if self.due is None or self._steps is None:
            return
        self.due = None
        if not self._is_cancelled():
            self._move(self._steps.send, None)

    def _is_cancelled(self) -> bool:
        cancelled = all(future.done() for future in self._futures)
        if cancelled:
            self._finish(None, None)
        return cancelled

    def _move(self, move: Callable[[Any], Attempt | Pause], value: Any) -> None:
        try:
            step = move(value)
            if isinstance(step, Attempt):
                self.under_way = self._submit(step.request, step.within(self._timeout))
        except StopIteration as end:
            self._finish(end.value, None)
        except PusherError as error:
            self._finish(None, _untraced(error))
        except Exception as error:  # a decoder of the user's own, say
            self._finish(None, error)
        else:
            self._wait(step)

    def _wait(self, step: Attempt | Pause) -> None:
        if isinstance(step, Pause):
            self.due = time.monotonic() + step.seconds
            self._loop.queue_call(step.seconds, self.resume)
        else:
            self._loop.queue_rpc(self.under_way, self.advance)

    def _finish(self, answer: Any, error: Exception | None) -> None:
        """The loop may hold this object for a while yet, so it lets go of everything."""
        done, self._done, self._steps, self._futures = self._done, None, None, ()
        if done is not None:
            done(answer, error)


def _untraced(error: PusherError) -> PusherError:
    """Without its way through this package: those frames hold the future, which holds the error.

    A future that nobody asks would be forgotten late then, and its error logged late.
    """
    told: BaseException | None = error
    while isinstance(told, PusherError):
        told.__traceback__ = None
        told = told.__cause__
    return error
