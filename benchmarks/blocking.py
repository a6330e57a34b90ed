"""A blocking trigger, side by side with the official package: `python -m benchmarks blocking`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pusher

import gae_pusher
from benchmarks.common import fast_server, medians, one_core, table

ROUNDS = 61
CALLS = 60
GOALS = {"RequestsChannel": 1.0, "urllib3 engine": 2.5, "pycurl engine": 6.0}


def run() -> str:
    """Trigger on one server with everybody in turn; a table of ratios.

    Once with client and server on one core, where only work counts, and once where the system puts
    them, where each has to be woken up for each exchange.
    """
    with one_core() as possible, fast_server() as (port, server):
        together = _ratios(port) if possible else {}
    with fast_server() as (port, server):
        apart = _ratios(port)
    rows = [("blocking trigger, x pusher 3.3.4", "goal", "one core", "CPU", "all cores", "CPU")]
    for name in apart:
        goal = f"{GOALS[name]:.1f}" if name in GOALS else ""
        rows.append((name, goal, *together.get(name, ("", "")), *apart[name]))
    return f"{table(rows)}\n(medians of {ROUNDS} rounds in turns, against {server} on loopback)"


def _ratios(port: int) -> dict[str, tuple[str, str]]:
    """How many times as fast everybody is, on the clock and in CPU time."""
    result = medians(_subjects(port), rounds=ROUNDS, calls=CALLS)
    official_wall, official_cpu = result["pusher 3.3.4"]
    return {
        name: (f"{official_wall / wall:.2f}", f"{official_cpu / cpu:.2f}")
        for name, (wall, cpu) in result.items()
    }


def _subjects(port: int) -> dict[str, Callable[[], object]]:
    app = ("3", "a-key", "a-secret")
    official = pusher.Pusher(*app, ssl=False, host="127.0.0.1", port=port)
    return {
        "pusher 3.3.4": lambda: official.trigger("a_channel", "an_event", {"some": "data"}),
        "RequestsChannel": _trigger(port, "RequestsChannel"),
        "urllib3 engine": _trigger(port, "GoogleAppEngineChannel", engine="urllib3"),
        "pycurl engine": _trigger(port, "GoogleAppEngineChannel", engine="pycurl"),
    }


def _trigger(port: int, channel_type: str, **options: Any) -> Callable[[], object]:
    kind = getattr(gae_pusher, channel_type)
    where = {"ssl": False, "host": "127.0.0.1", "port": port}
    app = gae_pusher.Pusher("3", "a-key", "a-secret", channel_type=kind, **where, **options)
    return lambda: app["a_channel"].trigger("an_event", {"some": "data"})
