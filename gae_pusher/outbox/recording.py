"""Recording: the events of one attempt of one transaction, written as one entity at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.errors import TransactionTooLarge
from gae_pusher.limits import OUTBOX_EVENTS_BYTES
from gae_pusher.outbox.entry import OutboxEntry, entry_key, new_id
from gae_pusher.outbox.events import Event, dump, load
from gae_pusher.outbox.store import NO_CACHE

__all__ = ["Ids", "Recording"]

logger = logging.getLogger("gae_pusher")

_PAUSE_SECONDS: Final = 0.001

Finish = Callable[[str | None, list[Event]], None]


class Ids:
    """Ids of entries whose commit failed: the next attempt of the same transaction takes them up.

    A commit that reports an error may have been applied. NDB's retry state names the call of
    `transaction` that an attempt belongs to; two calls may share a name, so whoever takes up an
    id looks first whether the entry is there.
    """

    def __init__(self) -> None:
        self._failed: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()

    def take(self, context: Any) -> str | None:
        """The id of the attempt before this one, None for a first attempt."""
        return self._of_request().pop(context.get_retry_state(), None)

    def keep(self, context: Any, entry: str) -> None:
        """An attempt failed; it may have been applied, and it may be made again."""
        if context.in_retry():
            self._of_request()[context.get_retry_state()] = entry

    def _of_request(self) -> dict[str, str]:
        loop = ndb.context.get_toplevel_context().eventloop
        return self._failed.setdefault(loop, {})


class Recording:
    """One attempt of a transaction, for one sender. `finish` gets what was committed.

    It holds no context, which would keep the request alive in whoever holds the recording.
    """

    def __init__(
        self, ids: Ids, durable: bool, new_entry: Callable[[str], OutboxEntry], finish: Finish
    ) -> None:
        context = ndb.get_context()
        self._durable = durable
        self._new_entry = new_entry
        self._finish = finish
        self._written = 0
        self._scheduled = self._committed = False
        self.events: list[Event] = []
        self.added = 0
        self._size = 0
        self._known: set[str] = set()
        before = ids.take(context) if durable else None
        self.entry = before or new_id()
        if before:
            self._take_up(before)
        context.call_on_commit(self._on_commit)
        # The attempt's own context: the callback may run while another one is current.
        context.call_on_transaction_complete(lambda: self._on_complete(ids, context))

    def add(self, event: Event) -> None:
        """One more event. Raises TransactionTooLarge."""
        if self._committed:  # a hook of the caller's that ran after ours
            self._finish(None, [event])
            return
        self.added += 1
        if event.id in self._known:
            return
        self._append(event)
        if self._durable and not self._scheduled:
            self._scheduled = True
            context = ndb.get_context()
            context.eventloop.queue_call(0, self._write, context)

    def _take_up(self, entry: str) -> None:
        """The attempt before may have been applied: keep its events, which are committed then."""
        found = entry_key(entry).get(**NO_CACHE)
        for event in load(found.events) if found is not None else ():
            self._append(event)

    def _append(self, event: Event) -> None:
        size = self._size + len(dump([event]).encode())
        if size > OUTBOX_EVENTS_BYTES:
            raise TransactionTooLarge(
                f"the events of this transaction have {size} bytes, an outbox entry takes "
                f"{OUTBOX_EVENTS_BYTES}: trigger references, or change less in one transaction",
                size=size,
                limit=OUTBOX_EVENTS_BYTES,
            )
        self._size = size
        self._known.add(event.id)
        self.events.append(event)

    def _write(self, context: Any) -> None:
        """Put the entry, as late as can be: when nothing is under way that may add an event.

        NDB runs the transaction's loop empty before it commits, so this runs in time.
        """
        if context.eventloop.rpcs:
            context.eventloop.queue_call(_PAUSE_SECONDS, self._write, context)
            return
        self._scheduled = False
        if self._committed:
            return
        entry = self._new_entry(self.entry)
        entry.events = dump(self.events)
        # An independent transaction runs this loop too, while its own context is current. The
        # cache stays behind: leaving a context hands it to the one before.
        with context.new(cache=None).use():
            entry.put_async(**NO_CACHE)
        self._written = len(self.events)

    def _on_commit(self) -> None:
        """Never raises: NDB would run the committed transaction again."""
        self._committed = True
        try:
            if self._written:
                self._finish(self.entry, self.events[: self._written])
            late = self.events[self._written :]  # without an entry, or from a hook of the caller's
            if late:
                self._finish(None, late)
        except Exception:
            logger.exception("events could not be sent after the commit; the sweep will")

    def _on_complete(self, ids: Ids, context: Any) -> None:
        if self._durable and not self._committed:
            ids.keep(context, self.entry)
