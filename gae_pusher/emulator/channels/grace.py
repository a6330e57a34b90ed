"""Occupancy as webhooks tell it: leaving counts only when nobody is back in time (section 4.5)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, TypeAlias

from gae_pusher.emulator.channels.timers import Timers

__all__ = ["Occupancy", "Subject"]

# A channel, or with a user id a member of a channel.
Subject: TypeAlias = tuple[str, str | None]


class _State(Enum):
    ABSENT = auto()
    PRESENT = auto()
    LEAVING = auto()


class _Input(Enum):
    ARRIVED = auto()
    LEFT = auto()
    TIMEOUT = auto()


_TRANSITIONS: Final = {
    (_State.ABSENT, _Input.ARRIVED): _State.PRESENT,
    (_State.PRESENT, _Input.LEFT): _State.LEAVING,
    (_State.LEAVING, _Input.ARRIVED): _State.PRESENT,
    (_State.LEAVING, _Input.TIMEOUT): _State.ABSENT,
}


class Occupancy:
    """Follows channels and members through absent, present and leaving."""

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._states: dict[Subject, _State] = {}
        self._leaving: Timers[Subject] = Timers()

    def arrived(self, subject: Subject) -> bool:
        """Note an arrival; True when it is to be told, False when it undoes a departure."""
        self._move(subject, _Input.ARRIVED)
        return not self._leaving.cancel(subject)

    def left(self, subject: Subject, now: float) -> None:
        """Note a departure, to be told when the grace period is over."""
        self._move(subject, _Input.LEFT)
        self._leaving.set(subject, now + self._grace)

    def next_due(self) -> float | None:
        """When the next departure is to be told."""
        return self._leaving.next_due()

    def pop_due(self, now: float) -> list[Subject]:
        """The departures that are to be told now."""
        subjects = self._leaving.pop_due(now)
        for subject in subjects:
            self._move(subject, _Input.TIMEOUT)
        return subjects

    def _move(self, subject: Subject, given: _Input) -> None:
        state = _TRANSITIONS[self._states.get(subject, _State.ABSENT), given]
        if state is _State.ABSENT:
            del self._states[subject]
        else:
            self._states[subject] = state
