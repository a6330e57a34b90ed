"""When a failed task is tried again, and when it is given up."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.tasks.retry import RetryPolicy, delay_seconds, gives_up

POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(-1, 5).filter(bool),
    max_retry_seconds=st.sampled_from([0, 10, 1_000]),
    min_backoff_seconds=st.sampled_from([0, 0.1, 1, 10]),
    max_backoff_seconds=st.sampled_from([10, 300, 3_600]),
    max_doublings=st.integers(0, 1_000),
)


def delays(policy: RetryPolicy) -> list[float]:
    return [delay_seconds(policy, failures) for failures in range(1, 9)]


@pytest.mark.parametrize(
    ("least", "most", "doublings", "expected"),
    [
        (10, 300, 3, [10, 20, 40, 80, 160, 240, 300, 300]),
        (10, 300, 0, [10, 20, 30, 40, 50, 60, 70, 80]),
        (1, 3_600, 16, [1, 2, 4, 8, 16, 32, 64, 128]),
        (5, 5, 16, [5] * 8),
        (0, 300, 3, [0] * 8),
    ],
)
def test_the_delays_are_the_documented_ones(
    least: float, most: float, doublings: int, expected: list[float]
) -> None:
    """The first line is the example of the service's documentation."""
    policy = RetryPolicy(
        min_backoff_seconds=least, max_backoff_seconds=most, max_doublings=doublings
    )
    assert delays(policy) == expected


@given(policy=POLICIES, failures=st.integers(1, 10_000))
def test_delays_never_shrink_and_stay_within_the_bounds(policy: RetryPolicy, failures: int) -> None:
    """However many attempts failed, the wait is between the minimum and the maximum."""
    delay = delay_seconds(policy, failures)
    assert policy.min_backoff_seconds <= delay <= policy.max_backoff_seconds
    assert delay <= delay_seconds(policy, failures + 1)


@given(policy=POLICIES)
def test_delays_double_then_grow_by_the_last_step(policy: RetryPolicy) -> None:
    """The formula, told as a walk: add the step, which doubles max_doublings times."""

    def walk() -> object:
        delay = policy.min_backoff_seconds
        step = delay
        for failures in range(1, 40):
            yield min(delay, policy.max_backoff_seconds)
            step = delay if failures <= policy.max_doublings + 1 else step
            delay += step

    expected = list(islice(walk(), 39))
    assert [delay_seconds(policy, n) for n in range(1, 40)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("attempts", "seconds", "attempted", "age", "given_up"),
    [
        (3, 0, 2, 10_000, False),
        (3, 0, 3, 0, True),
        (-1, 0, 1_000_000, 1_000_000, False),
        (-1, 60, 1, 59, False),
        (-1, 60, 1, 60, True),
        (3, 60, 3, 59, False),
        (3, 60, 2, 61, False),
        (3, 60, 3, 60, True),
        (1, 0, 1, 0, True),
    ],
)
def test_a_task_is_given_up_when_every_limit_is_reached(
    attempts: int, seconds: float, attempted: int, age: float, given_up: bool
) -> None:
    """One of two limits is not enough, and a limit that is not set does not count."""
    policy = RetryPolicy(max_attempts=attempts, max_retry_seconds=seconds)
    assert gives_up(policy, attempted, 1_000, 1_000 + age) is given_up
