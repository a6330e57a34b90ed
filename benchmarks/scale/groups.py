"""The modelled entities: an OutboxEntry stands for many entries that commit together."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from gae_pusher.outbox.entry import OutboxEntry, due_slot, shard_range
from gae_pusher.outbox.events import Event, dump

__all__ = ["APP_ID", "Group", "Groups"]

APP_ID = "1"
_SHARD = 0  # the one that is simulated
_CHANNEL, _EVENT = "orders", "changed"


@dataclass(slots=True)
class Group:
    """`count` entries that share their fate; one event each."""

    entity: OutboxEntry
    count: int
    offered_at: float
    slot: str  # the entity's, as the index has it
    delivered: bool = False

    @property
    def name(self) -> str:
        return str(self.entity.key.id())

    @property
    def events(self) -> list[Event]:
        """What is sent; the data is the group's own name, so that Pusher's model knows whose."""
        return [Event(self.name, (_CHANNEL,), _EVENT, self.name)]


class Groups:
    """All groups ever, and those that Datastore still has: one shard of the outbox's index."""

    def __init__(self, random_source: random.Random, shards: int) -> None:
        self._random = random_source
        self._shards = shards
        self._stored: dict[str, Group] = {}
        self.known: dict[str, Group] = {}

    def new(self, count: int, offered_at: float, due: float) -> Group:
        """A group that is about to be stored."""
        name = self._name()
        slot = due_slot(APP_ID, name, self._shards, due)
        group = Group(OutboxEntry(id=name, namespace="", slot=slot), count, offered_at, slot)
        group.entity.events = dump(group.events)
        self.known[name] = group
        return group

    def store(self, group: Group) -> None:
        """From now on Datastore has it."""
        self._stored[group.name] = group

    def stored(self, name: str) -> Group | None:
        """A group that Datastore has, else None."""
        return self._stored.get(name)

    def remove(self, names: list[str]) -> None:
        """They are delivered and deleted."""
        for name in names:
            self._stored.pop(name, None)

    def split(self, group: Group, count: int) -> Group:
        """Part `count` entries from a stored group, which keeps the rest."""
        if count >= group.count:
            return group
        part = self.new(count, group.offered_at, group.entity.due)
        part.slot, part.delivered = group.slot, group.delivered
        old = group.entity
        part.entity.populate(
            slot=old.slot, attempts=old.attempts, leased_until=old.leased_until, error=old.error
        )
        group.count -= count
        self.store(part)
        return part

    def due(self, now: float, limit: int) -> Iterator[Group]:
        """Up to `limit` entries, those that are due longest first."""
        low, high = shard_range(APP_ID, _SHARD, now)
        found = [group for group in self._stored.values() if low <= group.slot < high]
        # A part stands before what it was parted from: who asks again at once finds the same.
        found.sort(key=lambda group: (group.slot, group.count))
        for group in found:
            if limit <= 0:
                return
            part = self.split(group, limit)
            limit -= part.count
            yield part

    def any_waits(self) -> bool:
        """Whether the shard has an entry that is not parked, due or not."""
        first, _ = shard_range(APP_ID, _SHARD, 0)
        return any(group.slot.startswith(first) for group in self._stored.values())

    def backlog(self) -> int:
        """Committed entries that Pusher has not accepted."""
        return sum(group.count for group in self._stored.values() if not group.delivered)

    def parked(self) -> int:
        """Entries that wait for a person."""
        return sum(group.count for group in self._stored.values() if group.entity.parked)

    def _name(self) -> str:
        """A random name that the outbox itself puts into the simulated shard."""
        shard, _ = shard_range(APP_ID, _SHARD, 0)
        while True:
            name = f"{self._random.getrandbits(128):032x}"
            if due_slot(APP_ID, name, self._shards, 0).startswith(shard):
                return name
