"""What is counted in a run, and what a run comes to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.scale.groups import Group

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Entries, each with one event; the counts are of the simulated shard alone."""

    offered: int = 0
    refused: int = 0  # their transaction failed: the user saw an error, nothing is promised
    committed: int = 0
    doubles: int = 0
    delays: list[tuple[float, int]] = field(default_factory=list)  # seconds, entries
    backlog: list[tuple[float, int]] = field(default_factory=list)  # time, entries

    def accepted(self, now: float, groups: Iterable[Group]) -> None:
        """Pusher took the events of these groups."""
        for group in groups:
            if group.delivered:
                self.doubles += group.count
                continue
            group.delivered = True
            self.delays.append((now - group.offered_at, group.count))

    @property
    def delivered(self) -> int:
        return sum(count for _, count in self.delays)

    def delay(self, share: float) -> float:
        """The seconds within which this share of all committed entries arrived; infinity: never.

        From the start of the commit until Pusher's answer.
        """
        wanted = math.ceil(share * self.committed)
        for seconds, count in sorted(self.delays):
            wanted -= count
            if wanted <= 0:
                return seconds
        return math.inf
