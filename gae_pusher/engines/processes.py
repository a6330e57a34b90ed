"""Which process this is, without a system call: every verb asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerProcess", "process_id"]

T = TypeVar("T")

_id = os.getpid()


def process_id() -> int:
    """This process's id; another one in a forked child."""
    return _id


def _learn_id() -> None:
    global _id
    _id = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_learn_id)


class PerProcess(Generic[T]):
    """A value that every process makes for itself when it first asks: a fork shares none."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        value = self._values.get(_id)
        # No lock: another thread of the parent could have held it at the time of the fork.
        return self._values.setdefault(_id, self._make()) if value is None else value

    def pop(self) -> T | None:
        """Forget this process's value and return it, None when there is none."""
        return self._values.pop(_id, None)
