"""Simulated time."""

from __future__ import annotations

from benchmarks.scale.clock import Clock


def test_actions_run_in_the_order_of_their_times() -> None:
    """An earlier time runs first, and of one time what was planned first."""
    clock, seen = Clock(), []
    for when, name in ((2, "c"), (1, "a"), (1, "b")):
        clock.at(when, lambda name=name: seen.append((clock.now, name)))
    clock.run(until=10)
    assert (seen, clock.now) == ([(1, "a"), (1, "b"), (2, "c")], 10)


def test_what_an_action_plans_runs_too() -> None:
    """An action that plans itself again runs at each of its times, and not after the end."""
    clock, seen = Clock(), []

    def tick() -> None:
        seen.append(clock.now)
        clock.after(3, tick)

    clock.at(0, tick)
    clock.run(until=9)
    assert seen == [0, 3, 6, 9]


def test_a_time_that_has_passed_means_now() -> None:
    """Time never runs backwards."""
    clock, seen = Clock(), []
    clock.at(5, lambda: clock.at(1, lambda: seen.append(clock.now)))
    clock.run(until=9)
    assert seen == [5]
