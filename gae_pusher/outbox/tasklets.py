"""NDB's tasklets with types: what stands before a tasklet's name, and what its body is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar, cast

from google.cloud import ndb  # type: ignore[attr-defined]

__all__ = ["Steps", "tasklet"]

P = ParamSpec("P")
T = TypeVar("T")

Steps = Generator[Any, Any, T]


def tasklet(function: Callable[P, Steps[T]]) -> Callable[P, ndb.Future]:
    """The function as a tasklet: it runs at once up to its first wait and returns a future."""
    return cast("Callable[P, ndb.Future]", ndb.tasklet(function))
