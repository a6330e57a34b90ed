"""What `gae-pusher check` can find: one value per finding, and the catalogue of all codes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from typing import Final

__all__ = ["CATALOGUE", "Finding", "Rule", "Severity"]


class Severity(IntEnum):
    """How bad: NOTE costs nothing, WARNING hurts later, ERROR fails the deploy or leaks."""

    NOTE = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding: what happens in production if it stays, and what to do."""

    code: str
    severity: Severity
    title: str
    consequence: str
    fix: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding in one place. `line` counts from 1; 0 is the file as a whole."""

    path: str
    line: int
    code: str
    message: str

    @property
    def rule(self) -> Rule:
        """The kind of finding this is."""
        return CATALOGUE[self.code]


def _read_catalogue() -> dict[str, Rule]:
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {
        code: Rule(code, Severity[row["severity"]], row["title"], row["consequence"], row["fix"])
        for code, row in tomllib.loads(text).items()
    }


CATALOGUE: Final = _read_catalogue()
