"""What happens to entries in Datastore after the commit: found, leased, settled, parked, dropped.

Every change of an entry is a small transaction that looks whether the entry is still what the
caller thinks it is. Each lease raises the number of attempts: it tells one holder from the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.errors import NoSuchEntry, UnknownEntryVersion
from gae_pusher.outbox.entry import (
    NAMESPACE,
    OutboxEntry,
    due_slot,
    entry_key,
    parked_slot,
    shard_range,
    utc,
)
from gae_pusher.outbox.events import Event, dump, load
from gae_pusher.outbox.policy import Policy
from gae_pusher.outbox.sending import Outcome
from gae_pusher.outbox.tasklets import Steps, tasklet

__all__ = ["NO_CACHE", "Lease", "Store"]

# Entries are read once and changed by others: a cache would only be wrong.
NO_CACHE: Final = {"use_cache": False, "use_global_cache": False}


@dataclass(frozen=True, slots=True)
class Lease:
    """Entry `entry` is this process's until `until`; `attempt` counts from 1, the immediate one."""

    entry: str
    attempt: int
    until: float
    events: tuple[Event, ...]


class Store:
    """The entries of one app."""

    def __init__(self, app_id: str, policy: Policy, clock: Callable[[], float]) -> None:
        self.app_id = app_id
        self.policy = policy
        self.clock = clock

    @tasklet
    def lease(self, entry: str) -> Steps[Any]:
        """A Lease; None when it is gone, parked, or somebody else's for now.

        An entry whose attempts are used up is parked, one of another release put off.
        """
        return (yield self._change(entry, self._leased))

    @tasklet
    def settle(self, entry: str, attempt: int, outcome: Outcome) -> Steps[Any]:
        """Store what is left of an entry; gives the seconds until it is due, None when it is not.

        None too when it is somebody else's by now.
        """

        def settled(found: OutboxEntry) -> float | None:
            if found.attempts != attempt or found.parked:
                return None
            found.events = dump(outcome.left)
            found.error = outcome.error
            found.leased_until = 0.0
            if outcome.retry and attempt < self.policy.attempts:
                seconds = self.policy.backoff(attempt)
                self._put_off(found, seconds)
                return seconds
            reason = f"after {attempt} attempts: " if outcome.retry else ""
            self._park(found, reason + outcome.error)
            return None

        return (yield self._change(entry, settled))

    @tasklet
    def delete(self, entries: list[str]) -> Steps[Any]:
        """Forget entries whose events have all been accepted."""
        yield [entry_key(entry).delete_async(**NO_CACHE) for entry in entries]

    @tasklet
    def due(self, limit: int) -> Steps[Any]:
        """The ids of entries that are due, at most `limit` of each shard.

        It jumps from one shard that has entries to the next: an empty outbox costs one query.
        """
        ids: list[str] = []
        shard = 0
        while True:
            low, _ = shard_range(self.app_id, shard, 0)
            first = yield _between(low, f"{self.app_id}|p").fetch_async(1, projection=["slot"])
            if not first:
                return ids
            shard = int(first[0].slot.split("|")[1])
            due = _between(*shard_range(self.app_id, shard, self.clock()))
            keys = yield due.fetch_async(limit, keys_only=True)
            ids += [key.id() for key in keys]
            shard += 1

    @tasklet
    def forget_old(self, limit: int) -> Steps[Any]:
        """Delete parked entries that nobody has looked after for too long; gives their number."""
        until = self.clock() - self.policy.keep_seconds
        old = _between(*shard_range(self.app_id, "parked", until))
        keys = yield old.fetch_async(limit, keys_only=True)
        yield self.delete([key.id() for key in keys])
        return len(keys)

    @tasklet
    def listed(self, limit: int, parked: bool) -> Steps[Any]:
        """The app's entries, those that are due first; only parked ones if told so."""
        low = f"{self.app_id}|p" if parked else f"{self.app_id}|"
        return (yield _between(low, f"{self.app_id}|q").fetch_async(limit))

    @tasklet
    def get(self, entry: str) -> Steps[Any]:
        """An entry of this app. Raises NoSuchEntry."""
        found = yield entry_key(entry).get_async(**NO_CACHE)
        if found is None or found.app_id != self.app_id:
            raise NoSuchEntry(f"the outbox of app {self.app_id} has no entry {entry}")
        return found

    @tasklet
    def retry(self, entry: str) -> Steps[Any]:
        """Make an entry due now, with all its attempts again. Raises NoSuchEntry."""

        def due_again(found: OutboxEntry) -> None:
            found.attempts = 1
            found.expires = None
            self._put_off(found, 0)

        yield self.get(entry)
        yield self._change(entry, due_again)

    def _leased(self, found: OutboxEntry) -> Lease | None:
        now = self.clock()
        if found.parked or found.leased_until > now:
            return None
        try:
            events = tuple(load(found.events))
        except UnknownEntryVersion as error:
            found.error = str(error)
            self._put_off(found, self.policy.longest_backoff_seconds)
            return None
        if found.attempts >= self.policy.attempts:
            self._park(found, f"after {found.attempts} attempts: {found.error or 'none answered'}")
            return None
        found.attempts += 1
        found.leased_until = now + self.policy.lease_seconds
        self._put_off(found, self.policy.lease_seconds)
        return Lease(found.key.id(), found.attempts, found.leased_until, events)

    def _put_off(self, found: OutboxEntry, seconds: float) -> None:
        due = self.clock() + seconds
        found.slot = due_slot(self.app_id, found.key.id(), self.policy.shards, due)

    def _park(self, found: OutboxEntry, reason: str) -> None:
        found.error = reason
        found.slot = parked_slot(self.app_id, self.clock())
        found.expires = utc(self.clock() + self.policy.keep_seconds)

    @tasklet
    def _change(self, entry: str, change: Callable[[OutboxEntry], Any]) -> Steps[Any]:
        """Read, change and write an entry in one transaction; None when it is not there."""

        @tasklet
        def changed() -> Steps[Any]:
            found = yield entry_key(entry).get_async(**NO_CACHE)
            if found is None or found.app_id != self.app_id:
                return None
            before = found.to_dict()
            result = change(found)
            if found.to_dict() != before:
                yield found.put_async(**NO_CACHE)
            return result

        return (yield ndb.transaction_async(changed))


def _between(low: str, high: str) -> ndb.Query:
    query = OutboxEntry.query(OutboxEntry.slot >= low, OutboxEntry.slot < high, namespace=NAMESPACE)
    return query.order(OutboxEntry.slot)
