"""The attempts of one verb on a clock of this test: how many, how long, and which error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.config import Config
from gae_pusher.errors import BreakerOpen, ConnectionFailed, PusherError, TransportTimeout
from gae_pusher.sansio.breaker import Breaker
from gae_pusher.sansio.operations import Pause
from gae_pusher.sansio.retries import Retries, RetryPolicy
from gae_pusher.sansio.signing import Credentials
from gae_pusher.sansio.verbs import Verbs

CONFIG = Config(app_id="3", key="a-key", secret="a-secret")
TIMEOUT = 5.0
REFUSED = ConnectionFailed("refused", sent=False)
FRACTIONS = st.floats(0, 1)


class ServiceClock:
    """Unix seconds that no answer corrects."""

    def __call__(self) -> float:
        return 1_795_000_000.0

    def correct(self, headers: Any) -> bool:
        return False


@dataclass
class Call:
    """One trigger against a service that fails each attempt."""

    seconds: float = 1.0
    unknown: bool = False
    breaker: Breaker = field(default_factory=lambda: Breaker(0, 10))
    random: Callable[[], float] = lambda: 1.0
    now: float = 1_000.0
    attempts: int = 0

    def fail(self, error: PusherError, share: Callable[[], float] = lambda: 0.0) -> PusherError:
        """Let each attempt take a share of its time and fail; gives the verb's error."""
        policy, credentials = RetryPolicy(self.seconds, self.unknown), Credentials("k", "s")
        clocks = ServiceClock(), self.breaker, lambda: self.now, lambda: self.random()
        steps = (
            Verbs(CONFIG, bytes).trigger("a", "e", {}).steps(Retries(policy, credentials, *clocks))
        )
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    self.now += step.seconds
                    step = next(steps)
                else:
                    self.attempts += 1
                    self.now += step.within(TIMEOUT) * share()
                    step = steps.throw(error)
        except PusherError as raised:
            return raised


@given(seconds=st.floats(0, 20), data=st.data())
def test_all_attempts_together_keep_the_budget(seconds: float, data: st.DataObject) -> None:
    """Whatever each takes, a verb is over `timeout` and `retry_seconds` after its start."""
    call = Call(seconds, random=lambda: data.draw(FRACTIONS))
    call.fail(TransportTimeout("slow", sent=False), lambda: data.draw(FRACTIONS))
    assert call.now - 1_000 <= TIMEOUT + seconds + 1e-6


def test_the_default_second_has_a_handful_of_attempts() -> None:
    """Pauses of 0.1, 0.2 and 0.4 s at most fit into a second, and no hail of requests does."""
    call = Call(1.0)
    assert call.fail(REFUSED) is REFUSED
    assert call.attempts == 4


def test_no_attempt_is_too_short_to_succeed() -> None:
    """What surely did not arrive stays so: the rest of the budget must hold a whole request."""
    call = Call(0.15)
    assert call.fail(REFUSED) is REFUSED
    assert call.attempts == 1


def test_a_breaker_that_opens_hides_no_error() -> None:
    """The verb that was under way raises its own error: part of it may have arrived."""
    unknown = TransportTimeout("no answer", sent=True)
    call = Call(5.0, unknown=True, breaker=Breaker(1, 60))
    assert call.fail(unknown) is unknown
    assert call.attempts == 1
    assert type(call.fail(unknown)) is BreakerOpen
    assert call.attempts == 1
