"""What the runs show, as tables."""

from __future__ import annotations

import math

from benchmarks.common import table
from benchmarks.scale import numbers
from benchmarks.scale.simulation import Scenario, Simulation, simulate

__all__ = ["report"]

RATES = (100, 1_000, 10_000)
SHARDS = (1, 8, 64)
OUTAGES = (0, 30, 300)
OTHERS = (
    Scenario(10_000, 64, 300, queues=8),
    Scenario(10_000, 64, 300, queues=24),
    Scenario(10_000, 96, 300, queues=24),
    Scenario(1_000, 8, 30, queues=0),
    Scenario(1_000, 8, 30, queues=0, sweeps=8),
    Scenario(10_000, 64, cold=True),
)
HEAD = (
    "offered/s",
    "shards",
    "queues",
    "outage s",
    "delivered/s",
    "refused",
    "p50 s",
    "p99 s",
    "most waiting",
    "left",
    "doubles",
)


def report() -> str:
    """Both tables, with what they mean."""
    grid = [Scenario(r, s, o) for o in OUTAGES for s in SHARDS for r in RATES]
    return "\n\n".join(
        (
            "Durable events, one a transaction, simulated; one queue of Cloud Tasks:",
            table([HEAD, *map(_row, map(simulate, grid))]),
            "More queues and shards; the sweep alone; a kind that has just been born (cold):",
            table([HEAD, *map(_row, map(simulate, OTHERS))]),
            _legend(),
        )
    )


def _row(run: Simulation) -> tuple[str, ...]:
    scenario, tally = run.scenario, run.tally
    most = max(count for _, count in tally.backlog)
    return (
        f"{scenario.per_second:,.0f}",
        f"{scenario.shards}" + (" cold" if scenario.cold else ""),
        f"{scenario.queues}" + (f", {scenario.sweeps} sweeps" if scenario.sweeps > 1 else ""),
        f"{scenario.outage_seconds:.0f}",
        f"{tally.delivered / run.share / scenario.seconds:,.0f}",
        f"{tally.refused / max(1, tally.offered):.1%}",
        _seconds(tally.delay(0.50)),
        _seconds(tally.delay(0.99)),
        f"{most / run.share:,.0f}",
        f"{run.groups.backlog() / run.share:,.0f}",
        f"{tally.doubles / max(1, tally.delivered):.2%}",
    )


def _seconds(value: float) -> str:
    return "not yet" if math.isinf(value) else f"{value:,.2f}"


def _legend() -> str:
    return f"""\
delivered/s   accepted by Pusher for the first time, over the whole run (10 minutes and the outage)
refused       transactions that failed for contention on the index: their users saw an error
p50, p99      from the start of the commit to Pusher's answer, of all that committed
most waiting  committed and not yet accepted, at the worst moment; left: at the end
doubles       accepted again, with the same id
Pusher takes {numbers.PUSHER_EVENTS_PER_SECOND:,} events/s, {numbers.CRASHES:.1%} of the processes \
die between commit and send; docs/scale.md has the rest."""
