"""A breaker: after repeated failures nobody asks a dead service for a while."""

from __future__ import annotations

from gae_pusher.errors import BreakerOpen, PusherError, ServerError, TransportError

__all__ = ["Breaker"]


class Breaker:
    """Opens for `seconds` after `failures` failures in a row that last for `lasting` seconds.

    0 failures never open it. Many requests that fail at the same moment are one hiccup: a row, but
    no lasting one. When the time is up one request is let through; its success closes the breaker,
    its failure opens it again. A failure is no answer, or a 5xx. `now` is monotonic, in seconds.
    """

    def __init__(self, failures: int, seconds: float, lasting: float = 0.0) -> None:
        self._limit = failures
        self._seconds = seconds
        self._lasting = lasting
        self._failures = 0
        self._first = 0.0
        self._closed_again: float | None = None  # while it is open

    def is_open(self, now: float) -> bool:
        """Whether `check` would refuse; asking does not use up the one request let through."""
        return self._closed_again is not None and now < self._closed_again

    def check(self, now: float) -> None:
        """Raise BreakerOpen unless a request may be sent."""
        if self._closed_again is None:
            return
        if self.is_open(now):
            raise BreakerOpen(
                f"the service failed {self._failures} times in a row and is left alone for "
                f"{self._closed_again - now:.1f} more seconds: nothing was sent",
                sent=False,
            )
        self._closed_again = now + self._seconds  # for everybody but this request

    def note(self, error: PusherError | None, now: float) -> None:
        """What came of a request: an error, or None for a success."""
        if not isinstance(error, (TransportError, ServerError)):
            self._failures = 0
            self._closed_again = None
            return
        if not self._failures:
            self._first = now
        self._failures += 1
        if 0 < self._limit <= self._failures and now - self._first >= self._lasting:
            self._closed_again = now + self._seconds
