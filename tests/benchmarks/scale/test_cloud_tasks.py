"""The modelled Cloud Tasks."""

from __future__ import annotations

import pytest

from benchmarks.scale.clock import Clock
from benchmarks.scale.cloud_tasks import ModelledTasks


def dispatched(per_second: float, seconds: float) -> list[tuple[float, int]]:
    """Time and number of the dispatches of 1,000 tasks that are due at once."""
    clock = Clock()
    seen: list[tuple[float, int]] = []
    tasks = ModelledTasks(
        clock, per_second, lambda entry: 1000, lambda entry, count: seen.append((clock.now, count))
    )
    tasks.add("deliver", {"entry": "e"}, delay_seconds=10, name="e-1")
    clock.run(until=seconds)
    return seen


def test_tasks_leave_at_the_queue_s_rate() -> None:
    """At 50 a second 1,000 tasks take 20 seconds, from the delay's end on."""
    seen = dispatched(50, 60)
    assert sum(count for _, count in seen) == 1000
    assert seen[0][0] >= 10
    assert seen[-1][0] - seen[0][0] == pytest.approx(20, abs=1.5)


def test_what_is_not_dispatched_yet_waits() -> None:
    """After ten seconds of dispatching at 50 a second about half of 1,000 are out."""
    assert sum(count for _, count in dispatched(50, 20)) == pytest.approx(500, abs=60)
