"""How fast a queue may dispatch."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.tasks.limiter import Throttle, TokenBucket


def taken(bucket: TokenBucket, now: float) -> int:
    """How many tokens can be taken at a time."""
    count = 0
    while bucket.ready_at() <= now:
        bucket.take(now)
        count += 1
    return count


def test_a_bucket_is_full_at_first_and_fills_again() -> None:
    """A burst at once, then one token after another at the rate."""
    bucket = TokenBucket(per_second=2, burst=5)
    assert taken(bucket, 100) == 5
    assert bucket.ready_at() == 100.5
    assert taken(bucket, 100.5) == 1
    assert taken(bucket, 1_000) == 5


def test_a_change_of_the_rate_counts_from_now_on() -> None:
    """A queue that is made slower waits longer for its next token."""
    bucket = TokenBucket(per_second=10, burst=1)
    bucket.take(100)
    bucket.change(per_second=0.1, burst=1)
    bucket.take(bucket.ready_at())
    assert bucket.ready_at() == 110.1


@given(
    per_second=st.floats(0.01, 500),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 20), max_size=60),
)
def test_no_window_has_more_than_the_burst_and_the_rate(
    per_second: float, burst: int, steps: list[float]
) -> None:
    """Between any two times there are at most burst + rate * time dispatches."""
    bucket, now, times = TokenBucket(per_second, burst), 1_000.0, []
    for step in steps:
        now += step
        times += [now] * taken(bucket, now)
    # How far the dispatches so far are ahead of the rate; no stretch may gain more than the burst.
    ahead = [count - per_second * (time - 1_000) for count, time in enumerate(times)]
    least = accumulate(ahead, min)
    assert all(here - low + 1 <= burst + 1e-3 for here, low in zip(ahead, least, strict=True))


def test_complaints_stop_a_queue_for_longer_and_longer() -> None:
    """A second, doubled up to a minute, until something else is answered."""
    throttle, pauses = Throttle(), []
    for _ in range(8):
        throttle.complain(1_000, None)
        pauses.append(throttle.until - 1_000)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    throttle.relax()
    throttle.complain(2_000, None)
    assert throttle.until == 2_001


def test_a_worker_can_ask_for_more_time() -> None:
    """Retry-After is heeded when it is longer than our own pause."""
    throttle = Throttle()
    throttle.complain(1_000, retry_after_seconds=30)
    assert throttle.until == 1_030
