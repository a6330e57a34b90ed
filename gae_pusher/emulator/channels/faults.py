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

    def __post_init__(self) -> None:
        if self.status is not None and self.status not in range(200, 600):
            raise ValueError(f"status {self.status!r} is not 200 to 599")
        if not isinstance(self.delay_seconds, int | float) or not 0 <= self.delay_seconds <= 600:
            raise ValueError(f"delay_seconds {self.delay_seconds!r} is not 0 to 600")
        if not isinstance(self.body, str):
            raise ValueError("body is not a string")


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
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"count {count!r} is not a whole number, zero or more")
        self._fault = fault
        self._left = count

    def take(self) -> Fault:
        """The fault of one call; most have none."""
        if self._left == 0:
            return Fault()
        self._left -= 1
        return self._fault
