"""What an engine is, and how one lives through a fork."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from gae_pusher.sansio.http import Request, Response

__all__ = ["CONNECTIONS", "Engine", "PerProcess"]

CONNECTIONS: Final = 16  # kept open at most, unless an option says otherwise

T = TypeVar("T")


class Engine(ABC):
    """Sends signed requests to one app's host; safe to share between threads.

    Connects at the first request, keeps connections for the next ones, and shares none with the
    parent of a forked process. Follows no redirect, sends nothing twice. `timeout` is in seconds
    and bounds the whole exchange, from the wait for a free connection to the last byte.
    """

    @abstractmethod
    def send(self, request: Request, timeout: float) -> Response:
        """Send from this thread and wait for the answer, whatever its status.

        Raises ConnectionFailed, TransportTimeout, and RemoteProtocolError for what is no HTTP
        or is larger than 16 MiB.
        """

    @abstractmethod
    def submit(self, request: Request, timeout: float) -> Future[Response]:
        """Send from a thread of the engine; a future of what `send` returns or raises.

        Its callbacks run on that thread and must not wait. `timeout` starts when a connection
        is free. What is still unsent when the interpreter exits stays unsent.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the idle connections, and the others once they have done what was submitted.

        A later request opens new ones.
        """


class PerProcess(Generic[T]):
    """A value that every process makes for itself when it first asks: a fork shares none."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        pid = os.getpid()
        value = self._values.get(pid)
        # No lock: another thread of the parent could have held it at the time of the fork.
        return self._values.setdefault(pid, self._make()) if value is None else value

    def pop(self) -> T | None:
        """Forget this process's value and return it, None when there is none."""
        return self._values.pop(os.getpid(), None)
