"""Outbox: the settings, and the road into it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.channels.transactions import Deferred
from gae_pusher.names import is_encrypted
from gae_pusher.outbox.entry import OutboxEntry, due_slot, utc
from gae_pusher.outbox.events import Event, event_id, with_id, written
from gae_pusher.outbox.fallback import Fallback, Queue
from gae_pusher.outbox.lane import Committed, Lane
from gae_pusher.outbox.policy import Policy
from gae_pusher.outbox.recording import Ids, Recording
from gae_pusher.outbox.store import Store
from gae_pusher.sansio.encryption import NONCE_BYTES, open_envelope, seal
from gae_pusher.sansio.messages import check_size
from gae_pusher.sansio.operations import Plan

__all__ = ["Outbox"]

_DAY_SECONDS: Final = 86_400


class Outbox:
    """Stores the events of a transaction with it and sends them until they arrived.

    `queue` retries soon after a failure; without one the sweep does, once a minute. The send after
    the commit takes `budget_seconds` at most; the sweep leaves an entry alone for `grace_seconds`
    after the commit, and a process has an entry for `lease_seconds`. After `attempts` it is parked,
    and a parked one is kept for `keep_seconds`. `shards` is for hundreds of commits a second: one
    shard takes about 250 a second. `id_field` is the field that carries the event's id in data
    that is a JSON object; None adds nothing.
    Raises ConfigurationError.
    """

    def __init__(
        self,
        queue: Queue | None = None,
        *,
        budget_seconds: float = 0.5,
        grace_seconds: float = 60,
        lease_seconds: float = 60,
        attempts: int = 20,
        keep_seconds: float = 30 * _DAY_SECONDS,
        shards: int = 4,
        id_field: str | None = "event_id",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.fallback = Fallback(queue)
        self.policy = Policy(
            budget_seconds, grace_seconds, lease_seconds, attempts, keep_seconds, shards
        )
        self.id_field = id_field
        self.clock = clock
        self._ids: dict[Any, Ids] = {}
        # By the event loop of a transaction's attempt and of a request; they go with it.
        self._recordings: WeakKeyDictionary[Any, dict[Any, Recording]] = WeakKeyDictionary()
        self._lanes: WeakKeyDictionary[Any, dict[Any, Lane]] = WeakKeyDictionary()

    def store(self, sender: Any) -> Store:
        """The entries of a sender's app."""
        return Store(sender.config.app_id, self.policy, self.clock)

    def defer(self, sender: Any, plan: Plan[Any], *, durable: bool) -> Deferred:
        """Keep a plan of triggers until the current transaction commits.

        Raises TransactionTooLarge, InTransaction for `info=`, and PayloadTooLarge when an event
        has no room for its id.
        """
        events = list(written(plan))
        recording = self._recording(sender, durable)
        for fields in events:
            recording.add(self._event(sender.config, recording.entry, recording.added, fields))
        return Deferred(recording.entry if durable else None)

    def _recording(self, sender: Any, durable: bool) -> Recording:
        here = self._recordings.setdefault(ndb.get_context().eventloop, {})
        if sender not in here:
            ids = self._ids.setdefault(sender, Ids())

            def finish(entry: str | None, events: list[Event]) -> None:
                self._lane(sender).add(Committed(entry, events))

            def new_entry(entry: str) -> OutboxEntry:
                return self._new_entry(sender.config.app_id, entry)

            here[sender] = Recording(ids, durable, new_entry, finish)
        return here[sender]

    def _lane(self, sender: Any) -> Lane:
        here = self._lanes.setdefault(ndb.context.get_toplevel_context().eventloop, {})
        if sender not in here:
            here[sender] = Lane(sender, self.store(sender), self.fallback)
        return here[sender]

    def _new_entry(self, app_id: str, entry: str) -> OutboxEntry:
        now = self.clock()
        slot = due_slot(app_id, entry, self.policy.shards, now + self.policy.grace_seconds)
        return OutboxEntry(id=entry, namespace="", slot=slot, created=utc(now))

    def _event(self, config: Any, entry: str, index: int, fields: dict[str, Any]) -> Event:
        """The event with its id, also inside its data; an encrypted one is opened and sealed."""
        (first, *_), text = fields["channels"], fields["data"]
        sealed = is_encrypted(first)
        if sealed:
            text = open_envelope(first, text, config.encryption_master_key)
        name = event_id(entry, index, fields, text)
        if self.id_field is None:
            return Event(name, **fields)
        text = with_id(text, self.id_field, name)
        if sealed:
            text = seal(first, text, config.encryption_master_key, os.urandom(NONCE_BYTES))
        what = f"the data of event {fields['name']!r} on {first!r} with its {self.id_field}"
        check_size(text, config.limits.event_data_bytes, what, "trigger a reference")
        return Event(name, **{**fields, "data": text})
