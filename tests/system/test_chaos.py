"""A short run of the proof of delivery; `make chaos` is the long one."""

from __future__ import annotations

from tests.system import chaos

KILLS = 40


def test_what_committed_arrives_and_nothing_else() -> None:
    """Whatever dies and whatever the service answers, committed events arrive, others never do."""
    report = chaos.run(KILLS, seed=11)
    print(report)
    assert sum(report.kills.values()) == KILLS
    assert report.committed > 0
    assert report.waiting > 0, "the dead left something to do"
    assert report.good, report


def test_the_proof_can_fail() -> None:
    """The same without an outbox loses events, and the comparison sees it."""
    report = chaos.run(KILLS // 2, seed=12, on_commit="send")
    assert report.lost
    assert not report.ghosts
