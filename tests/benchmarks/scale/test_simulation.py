"""The outbox's own code between the modelled services."""

from __future__ import annotations

import pytest

from benchmarks.scale import simulation
from benchmarks.scale.simulation import Scenario, simulate


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three minutes show what ten do."""
    monkeypatch.setattr(simulation, "AFTERWARDS", 120.0)


def test_without_trouble_nearly_all_arrive_at_once() -> None:
    """Below the limits nothing is refused or doubled, and the median is two round trips."""
    tally = simulate(Scenario(50, 1)).tally
    assert (tally.refused, tally.doubles) == (0, 0)
    assert tally.delay(0.5) < 0.2


def test_what_a_dead_process_left_is_swept() -> None:
    """Whoever dies after the commit leaves entries that arrive after the grace period."""
    tally = simulate(Scenario(200, 1)).tally
    late = [seconds for seconds, _ in tally.delays if seconds > 30]
    assert late
    assert 60 < min(late) <= max(late) < 130


def test_one_shard_bends_at_half_the_index_s_rate() -> None:
    """An entry costs a write and a delete: 250 a second of 500, the rest is refused."""
    run = simulate(Scenario(1_000, 1))
    assert run.tally.delivered / run.scenario.seconds == pytest.approx(250, rel=0.1)
    assert run.tally.refused > run.tally.offered / 2


def test_shards_lift_the_bend() -> None:
    """Eight shards take what one refuses."""
    assert simulate(Scenario(1_000, 8)).tally.refused == 0


def test_an_outage_loses_nothing() -> None:
    """After half a minute without Pusher all that committed arrives, by Cloud Tasks."""
    run = simulate(Scenario(50, 1, outage_seconds=30))
    waiting = run.groups.backlog()
    assert run.groups.parked() == 0
    assert run.tally.delivered + waiting == run.tally.committed
    assert waiting < 50
    assert 10 < run.tally.delay(0.99) < 90


def test_the_same_run_twice_is_the_same() -> None:
    """Clock, latencies and jitter come from one seed."""
    one, two = (simulate(Scenario(50, 4, outage_seconds=10)).tally for _ in range(2))
    assert one == two
