"""The outbox's own Store, with its entities in memory and its waiting in the modelled Datastore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.cloud import ndb

from benchmarks.scale import numbers
from benchmarks.scale.clock import Clock
from benchmarks.scale.datastore import Contention, ModelledDatastore
from benchmarks.scale.groups import APP_ID, Groups
from benchmarks.scale.waiting import failed, later
from gae_pusher.outbox.policy import Policy
from gae_pusher.outbox.store import Store

__all__ = ["ModelledStore"]

_CHANGING = ("slot", "events", "attempts", "leased_until", "error", "expires")


class ModelledStore(Store):
    """Only what touches Datastore is replaced; what becomes of an entry the outbox decides."""

    def __init__(
        self, clock: Clock, policy: Policy, datastore: ModelledDatastore, groups: Groups
    ) -> None:
        super().__init__(APP_ID, policy, lambda: clock.now)
        self._simulated = clock
        self._datastore = datastore
        self._groups = groups

    def delete(self, entries: list[str]) -> ndb.Future:
        groups = [group for name in entries if (group := self._groups.stored(name))]
        try:
            count = sum(group.count for group in groups)
            seconds = self._datastore.delete(self._simulated.now, count)
        except Contention as error:
            return failed(self._simulated, numbers.WRITE_PATIENCE_SECONDS, error)
        return later(self._simulated, seconds, lambda: self._groups.remove(entries))

    def due(self, limit: int) -> ndb.Future:
        """Two queries for each shard with entries, one after the other, and one that finds none."""
        due = list(self._groups.due(self._simulated.now, limit))
        queries = 1 + 2 * self.policy.shards * self._groups.any_waits()
        seconds = self._datastore.query(queries)
        return later(self._simulated, seconds, lambda: [group.name for group in due])

    def forget_old(self, limit: int) -> ndb.Future:
        return later(self._simulated, self._datastore.query(1), lambda: 0)

    def _change(self, entry: str, change: Callable[[Any], Any]) -> ndb.Future:
        """A read, the outbox's decision, and a write when it changed anything."""
        group = self._groups.stored(entry)
        read = self._datastore.lookup(group.count if group else 1)
        if group is None:
            return later(self._simulated, read, lambda: None)
        entity = group.entity
        before = {name: getattr(entity, name) for name in _CHANGING}
        result = change(entity)
        if all(getattr(entity, name) == value for name, value in before.items()):
            return later(self._simulated, read, lambda: result)
        try:
            seconds = self._datastore.write(self._simulated.now, group.count)
        except Contention as error:
            entity.populate(**before)
            return failed(self._simulated, read + numbers.WRITE_PATIENCE_SECONDS, error)
        group.slot = entity.slot
        return later(self._simulated, read + seconds, lambda: result)
