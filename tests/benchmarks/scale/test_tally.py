"""Counts and percentiles of a run."""

from __future__ import annotations

import math

from benchmarks.scale.tally import Tally


def test_a_percentile_counts_entries_not_groups() -> None:
    """99 entries after a second and one after an hour: the median is a second, the last an hour."""
    tally = Tally(committed=100, delays=[(3600.0, 1), (1.0, 99)])
    assert [tally.delay(share) for share in (0.5, 0.99, 1)] == [1, 1, 3600]


def test_what_never_arrived_counts() -> None:
    """When a tenth has not arrived there is no 99th percentile yet."""
    tally = Tally(committed=100, delays=[(1.0, 90)])
    assert tally.delay(0.9) == 1
    assert tally.delay(0.99) == math.inf
