"""The modelled Cloud Tasks."""

from __future__ import annotations

import pytest

from benchmarks.scale.cloud_tasks import ModelledTasks


def test_one_queue_dispatches_500_a_second() -> None:
    """100,000 tasks that are due at once take 200 seconds, on eight queues 25."""
    assert ModelledTasks(queues=1).dispatched_in(0, 100_000) == pytest.approx(200, abs=2)
    assert ModelledTasks(queues=8).dispatched_in(0, 100_000) == pytest.approx(25, abs=2)
