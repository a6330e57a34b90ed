"""The answer to one question that was asked of a running service."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Outcome"]

_MARKS = {True: "ok", False: "FAILED", None: "not asked"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question showed, and what to do. `ok` is None when it could not be asked here."""

    question: str
    ok: bool | None
    detail: str
    do: str = ""

    def line(self) -> str:
        """The outcome for a person, in columns; what to do stands below."""
        shown = f"  {self.question:<14} {_MARKS[self.ok]:<10} {self.detail}"
        return f"{shown}\n{'':<28}{self.do}" if self.do else shown
