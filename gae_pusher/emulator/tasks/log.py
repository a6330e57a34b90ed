"""What a local Cloud Tasks remembers of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from gae_pusher.emulator.log import BoundedLog

__all__ = ["Entry", "Kind", "Log"]

# queue: created, changed, paused, resumed, purged or deleted; task: created or deleted;
# attempt: one dispatch, when it has ended.
Kind: TypeAlias = Literal["queue", "task", "attempt"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a running number, unix time, the queue's short name, the facts."""

    number: int
    time: float
    kind: Kind
    queue: str
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


class Log(BoundedLog[Entry]):
    """The log of a local Cloud Tasks. Bodies stay out of it."""

    def add(self, kind: Kind, queue: str, time: float, **facts: Any) -> None:
        """Record a fact."""
        self.keep(lambda number: Entry(number, time, kind, queue, facts))
