"""The narrow places of the modelled services."""

from __future__ import annotations

import pytest

from benchmarks.scale.lane import Lane, ramping, steady


def test_a_burst_passes_at_once_and_the_rest_waits() -> None:
    """500 a second with a burst of one second: 500 pass, 1,000 more wait two seconds."""
    lane = Lane(steady(500), burst_seconds=1)
    assert lane.take(0, 500) == 0
    assert lane.take(0, 1000) == pytest.approx(2)


def test_an_idle_lane_fills_up_again() -> None:
    """What waited is through after a while, and a burst passes at once again."""
    lane = Lane(steady(500), burst_seconds=1)
    lane.take(0, 1500)
    assert lane.wait(1) == pytest.approx(1)
    assert lane.take(3, 500) == 0


def test_more_than_the_rate_waits_longer_and_longer() -> None:
    """Offered twice the rate, the wait grows by a second each second."""
    lane = Lane(steady(500), burst_seconds=1)
    waits = [lane.take(second, 1000) for second in range(5)]
    assert waits == pytest.approx([1, 2, 3, 4, 5])


def test_room_is_what_does_not_wait_too_long() -> None:
    """Whoever takes exactly the room waits exactly as long as was asked for."""
    lane = Lane(steady(500), burst_seconds=1)
    lane.take(0, 700)
    assert lane.take(1, lane.room(1, patience_seconds=5)) == pytest.approx(5)
    assert lane.room(1, patience_seconds=5) == pytest.approx(0)


def test_a_cold_range_ramps_up_by_half_every_five_minutes() -> None:
    """The 500/50/5 rule gives 500, 750, 1,125 and, after 40 minutes, more than 10,000 a second."""
    rate = ramping()
    assert [rate(seconds) for seconds in (0, 299, 300, 600)] == [500, 500, 750, 1125]
    assert rate(7 * 300) < 10_000 < rate(8 * 300)
