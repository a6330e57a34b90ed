"""When a request is sent again: the policy of one verb, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from gae_pusher.errors import (
    AuthenticationError,
    BreakerOpen,
    PusherError,
    ResponseError,
    ServerError,
    TransportError,
)
from gae_pusher.sansio.breaker import Breaker
from gae_pusher.sansio.http import Response
from gae_pusher.sansio.operations import Attempt, Operation, Pause, Steps
from gae_pusher.sansio.signing import Credentials

__all__ = ["Clock", "Retries", "RetryPolicy"]

T = TypeVar("T")

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
# A shorter attempt would most likely turn what surely did not arrive into what nobody knows.
_SHORTEST_ATTEMPT_SECONDS: Final = 0.1
_REQUEST_TIMEOUT: Final = 408


class Clock(Protocol):
    """Unix seconds, which a server's answer may correct."""

    def __call__(self) -> float:
        """Now, as the service has it."""

    def correct(self, headers: Mapping[str, str]) -> bool:
        """Take the time of an answer; False when it has none, or the same."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`seconds` after a verb's first failure its last new attempt is over; 0 makes only one.

    What surely did not arrive is sent again, and so is what the service answered with 5xx or 408.
    With `unknown` also what may have arrived: then an event may be delivered twice.
    """

    seconds: float = 0.0
    unknown: bool = False

    def covers(self, error: PusherError) -> bool:
        """Whether another attempt may help."""
        if isinstance(error, BreakerOpen):
            return False
        if isinstance(error, TransportError):
            return error.sent is False or self.unknown
        if isinstance(error, ResponseError):
            return isinstance(error, ServerError) or error.status == _REQUEST_TIMEOUT
        return False


class Retries:
    """The attempts of one verb. `monotonic` is in seconds, `random` gives numbers from 0 to 1."""

    def __init__(
        self,
        policy: RetryPolicy,
        credentials: Credentials,
        clock: Clock,
        breaker: Breaker,
        monotonic: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._credentials = credentials
        self._clock = clock
        self._breaker = breaker
        self._monotonic = monotonic
        self._random = random
        self._deadline: float | None = None
        self._corrected = False

    def __call__(self, operation: Operation[T]) -> Steps[T]:
        """One operation's attempts, each signed anew. Raises the last one's error."""
        tried = 0
        at_most: float | None = None
        failed: PusherError | None = None
        while True:
            self._check_breaker(failed)
            response: Response | None = None
            try:
                request = operation.request(self._credentials, self._clock())
                response = yield Attempt(request, at_most)
                answer = operation.result(response)
            except PusherError as error:
                self._breaker.note(error, self._monotonic())
                if self._was_skewed(error, response):
                    continue
                failed = error
                pause = self._pause(error, tried)
                if pause is None:
                    raise
            else:
                self._breaker.note(None, self._monotonic())
                return answer
            tried += 1
            yield Pause(pause)
            assert self._deadline is not None
            at_most = self._deadline - self._monotonic()
            if at_most <= 0:  # a busy machine slept too long
                raise failed

    def _check_breaker(self, failed: PusherError | None) -> None:
        """BreakerOpen says that nothing was sent, so it does not replace an attempt's own error."""
        try:
            self._breaker.check(self._monotonic())
        except BreakerOpen:
            if failed is not None:
                raise failed from failed.__cause__
            raise

    def _pause(self, error: PusherError, tried: int) -> float | None:
        """The seconds to wait before the next attempt, None when there is none."""
        if not self._policy.covers(error):
            return None
        now = self._monotonic()
        if self._deadline is None:
            self._deadline = now + self._policy.seconds
        longest = min(_FIRST_PAUSE_SECONDS * 2**tried, _LONGEST_PAUSE_SECONDS)
        pause = longest * (0.5 + 0.5 * self._random())
        enough = now + pause + _SHORTEST_ATTEMPT_SECONDS <= self._deadline
        return pause if enough else None

    def _was_skewed(self, error: PusherError, response: Any) -> bool:
        """Whether our clock was the reason for a 401, and is right now; once in a verb."""
        if self._corrected or not isinstance(error, AuthenticationError):
            return False
        if "timestamp" not in error.body.lower():
            return False
        self._corrected = True
        return self._clock.correct(response.headers)
