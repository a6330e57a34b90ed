"""What people and tests may do to a running server beside the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from gae_pusher.emulator.channels.api_events import events_of
from gae_pusher.emulator.channels.faults import Fault, Faults
from gae_pusher.emulator.channels.gate import ApiError
from gae_pusher.emulator.channels.log import Entry, Log
from gae_pusher.emulator.channels.snapshot import snapshot
from gae_pusher.emulator.channels.switchboard import Switchboard

__all__ = ["Controls"]

# Close codes that RFC 6455 section 7.4 lets an endpoint send: the others mean "no code".
_SENDABLE_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})


class Controls:
    """Looks into a switchboard and meddles with it. Every method is for its event loop only."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._faults = Faults()
        self._followers: set[asyncio.Queue[Entry | None]] = set()

    @property
    def log(self) -> Log:
        """What has happened."""
        return self._board.log

    def state(self) -> dict[str, Any]:
        """Apps, connections, channels and members now, without secrets."""
        clients = {socket_id: link.client for socket_id, link in self._board.links.items()}
        return {
            "advanced_seconds": self._board.clock.advanced_seconds,
            "faults_left": self._faults.left,
            "apps": snapshot(self._board.services, clients),
        }

    def trigger(self, app_id: str | None, fields: Mapping[str, Any]) -> None:
        """Trigger as the HTTP API's fields say, unsigned. Raises ApiError or InvalidRequest."""
        service = self._board.services.get(app_id or next(iter(self._board.services)))
        if service is None:
            raise ApiError(404, f"App {app_id} is not on this server")
        for event in events_of(service, fields):
            self._board.carry_out(service, service.trigger(event, self._board.clock.now()))

    def close_connection(self, socket_id: str, code: int = 4200, reason: str = "") -> None:
        """Close a connection with any code. Raises LookupError or ValueError."""
        if code not in _SENDABLE_CODES:
            raise ValueError(f"{code} is not a close code that may be sent")
        link = self._board.links.get(socket_id)
        if link is None:
            raise LookupError(f"no connection has the socket id {socket_id}")
        self._board.close(link, code, reason)

    def fail_requests(self, count: int, fault: Fault) -> None:
        """Let the next `count` calls of the HTTP API fail or stall; 0 ends it."""
        self._faults.order(count, fault)

    def advance(self, seconds: float) -> None:
        """Let time pass at once: grace periods, caches, retries, silence. Not timestamps."""
        self._board.clock.advance(seconds)
        self._board.tick()
        for link in tuple(self._board.links.values()):
            self._board.watch_silence(link)

    def replay_webhook(self, delivery_id: str) -> None:
        """Send one of the latest webhooks again. Raises LookupError."""
        if not self._board.sender.replay(delivery_id):
            raise LookupError(f"no webhook with the id {delivery_id} is kept")

    @contextmanager
    def following(self, queue: asyncio.Queue[Entry | None]) -> Iterator[None]:
        """Put every new entry into a queue, and None at the end; a full queue loses its oldest."""
        unwatch = self.log.watch(lambda entry: _put_newest(queue, entry))
        self._followers.add(queue)
        try:
            yield
        finally:
            self._followers.discard(queue)
            unwatch()

    def _dismiss_followers(self) -> None:
        for queue in self._followers:
            _put_newest(queue, None)


def _put_newest(queue: asyncio.Queue[Entry | None], entry: Entry | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(entry)
