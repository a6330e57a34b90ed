"""Failures that a test orders: the next calls of the HTTP API fail or stall."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fault", "Faults"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Wait, then answer with this status and text; without a status, answer as usual."""

    status: int | None = None
    body: str = "Ordered failure\n"
    delay_seconds: float = 0


class Faults:
    """The faults that are still to happen, in order."""

    def __init__(self) -> None:
        self._fault = Fault()
        self._left = 0

    @property
    def left(self) -> int:
        """How many calls will still be affected."""
        return self._left

    def order(self, count: int, fault: Fault) -> None:
        """Let the next `count` calls suffer `fault`, instead of any earlier order; 0 ends it."""
        self._fault = fault
        self._left = count

    def take(self) -> Fault:
        """The fault of one call; most have none."""
        if self._left == 0:
            return Fault()
        self._left -= 1
        return self._fault
