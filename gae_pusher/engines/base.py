"""What an engine is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future
from typing import Final

from gae_pusher.sansio.http import Request, Response

__all__ = ["CONNECTIONS", "Engine"]

CONNECTIONS: Final = 16  # kept open at most, unless an option says otherwise


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
