"""What a Channels server remembers of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from gae_pusher.emulator.log import BoundedLog

__all__ = ["Entry", "Kind", "Log"]

# connection: opened, refused or closed; frame: one text message either way; event: accepted
# from the HTTP API or a client; request: one call of the HTTP API; webhook: one attempt;
# task: one attempt of a background task, cron: one run of a job, told by the stack around the
# server.
Kind: TypeAlias = Literal["connection", "frame", "event", "request", "webhook", "task", "cron"]

LONGEST_TEXT: Final = 16_384


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a running number, unix time, the app's id, the facts."""

    number: int
    time: float
    kind: Kind
    app: str
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


class Log(BoundedLog[Entry]):
    """The log of a Channels server."""

    def add(self, kind: Kind, app: str, time: float, **facts: Any) -> None:
        """Record a fact; long texts are cut, never dropped."""
        bounded = {name: _bounded(value) for name, value in facts.items()}
        self.keep(lambda number: Entry(number, time, kind, app, bounded))


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    return value
