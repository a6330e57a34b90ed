"""The entities of one database, their indexes, and the past that snapshots can be read from."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Self

from gae_pusher.emulator.datastore.indexes import Index, IndexSpec
from gae_pusher.emulator.datastore.keys import Path, encode_path, kind_of
from gae_pusher.emulator.datastore.messages import Entity, Key
from gae_pusher.emulator.datastore.values import Columns, columns_of

__all__ = ["Address", "Change", "Namespace", "Record", "Store"]

# The past is kept for an hour, as long as the Datastore lets a read look back, but no more than so
# many changes.
HISTORY_SECONDS: Final = 3_600
HISTORY_CHANGES: Final = 100_000


class Address(NamedTuple):
    """Where an entity is in its database."""

    namespace: str
    path: Path

    @classmethod
    def of(cls, key: Key) -> Self:
        """Where the entity of a complete key is."""
        return cls(key.partition_id.namespace_id, encode_path(key))


class Record(NamedTuple):
    """A stored entity: the message, serialized, and its versions of now and of its creation.

    `key` and `properties` are an entity message each, without the other; one after the other they
    are the whole message. A version is the unix time of a commit in microseconds.
    """

    key: bytes
    properties: bytes
    version: int
    created: int

    @classmethod
    def of(cls, entity: Entity, version: int, created: int) -> Self:
        """What is stored of a message."""
        key: bytes = Entity(key=entity.key).SerializeToString()
        whole: bytes = entity.SerializeToString()
        if not whole.startswith(key):
            raise ValueError("protobuf does not serialize fields in the order of their numbers")
        return cls(key, whole[len(key) :], version, created)

    def entity(self) -> Entity:
        """The message, to be changed as the caller likes."""
        entity: Entity = Entity.FromString(self.key + self.properties)
        return entity


class Change(NamedTuple):
    """What one commit did to one entity; None before it was there."""

    version: int
    address: Address
    before: Record | None


def columns(record: Record | None, wanted: Collection[str]) -> Columns | None:
    """What is indexed of a record, as far as it is wanted."""
    return None if record is None else columns_of(record.entity(), wanted) if wanted else {}


class Namespace:
    """The entities of a namespace. An index is built for the first query that needs it."""

    def __init__(self) -> None:
        self.records: dict[Path, Record] = {}
        self._indexes: dict[str | None, dict[IndexSpec, Index]] = {}

    def replace(self, path: Path, after: Record | None) -> None:
        """Put, or with None delete, one entity."""
        before = self.records.get(path)
        indexes = [*self._of_kind(None), *self._of_kind(kind_of(path))]
        if indexes:
            wanted = {column.property for index in indexes for column in index.spec.columns}
            old, new = columns(before, wanted), columns(after, wanted)
            for index in indexes:
                index.replace(path, old, new)
        if after is None:
            self.records.pop(path, None)
        else:
            self.records[path] = after

    def index(self, spec: IndexSpec) -> Index:
        """The index of a spec, built now unless it is there."""
        kept = self._indexes.setdefault(spec.kind, {})
        if spec not in kept:
            kept[spec] = Index(spec, self._entities(spec))
        return kept[spec]

    def _of_kind(self, kind: str | None) -> Iterable[Index]:
        return self._indexes.get(kind, {}).values()

    def _entities(self, spec: IndexSpec) -> Iterator[tuple[Path, Columns]]:
        wanted = [column.property for column in spec.columns]
        for path, record in self.records.items():
            if spec.kind is None or kind_of(path) == spec.kind:
                yield path, columns(record, wanted) or {}


class Store:
    """All namespaces of a database, and what changed in them lately."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Namespace] = {}
        self.version = 0
        # The oldest version that can still be read as it was.
        self.horizon = 0
        self._history: deque[Change] = deque()

    def record(self, address: Address) -> Record | None:
        """An entity as it is now."""
        namespace = self.namespaces.get(address.namespace)
        return None if namespace is None else namespace.records.get(address.path)

    def namespace(self, name: str) -> Namespace:
        """A namespace, which comes into being when it is asked for."""
        return self.namespaces.setdefault(name, Namespace())

    def load(self, address: Address, record: Record) -> None:
        """Put what was stored in an earlier run."""
        self.namespace(address.namespace).replace(address.path, record)
        self.version = max(self.version, record.version)
        self.horizon = self.version

    def next_version(self, now_micros: int) -> int:
        """The version of a commit at a time: each is above the one before."""
        return max(self.version + 1, now_micros)

    def apply(self, version: int, after: Mapping[Address, Record | None]) -> None:
        """Make all changes of one commit."""
        for address, record in after.items():
            self._history.append(Change(version, address, self.record(address)))
            self.namespace(address.namespace).replace(address.path, record)
        self.version = version
        self._forget(version - HISTORY_SECONDS * 1_000_000)

    def changes_since(self, version: int) -> Iterator[Change]:
        """What was changed by commits after a version, the latest first."""
        for change in reversed(self._history):
            if change.version <= version:
                return
            yield change

    def clear(self) -> None:
        """Forget all entities and the past."""
        self.namespaces.clear()
        self._history.clear()
        self.horizon = self.version

    def _forget(self, version: int) -> None:
        history = self._history
        while history and (history[0].version < version or len(history) > HISTORY_CHANGES):
            self.horizon = history.popleft().version
