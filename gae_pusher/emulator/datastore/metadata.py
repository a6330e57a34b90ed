"""The kinds that describe the others: __namespace__, __kind__, __property__ and the statistics.

They are made from the entities when they are asked for, as entities of a store of their own, so
that filters, orders, projections and cursors work on them as on any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gae_pusher.emulator.datastore.keys import (
    Partition,
    decode_key,
    is_reserved,
    kind_of,
)
from gae_pusher.emulator.datastore.messages import Entity, Key, Value
from gae_pusher.emulator.datastore.statistics import STATISTIC_KINDS, statistics
from gae_pusher.emulator.datastore.store import Address, Record, Store
from gae_pusher.emulator.datastore.values import columns_of, representation
from gae_pusher.emulator.datastore.views import View

__all__ = ["METADATA_KINDS", "metadata_view"]

# The default namespace has no name, and its key this id.
_DEFAULT_NAMESPACE_ID: Final = 1
_TOTAL: Final = "total_entity_usage"


def _key(partition: Partition, *path: tuple[str, str]) -> Key:
    key: Key = decode_key(b"", partition)
    for kind, name in path:
        if name:
            key.path.append(Key.PathElement(kind=kind, name=name))
        else:
            key.path.append(Key.PathElement(kind=kind, id=_DEFAULT_NAMESPACE_ID))
    return key


def _namespaces(view: View, partition: Partition) -> Iterator[Entity]:
    for name in view.namespaces():
        yield Entity(key=_key(partition, ("__namespace__", name)))


def _kinds(view: View, partition: Partition) -> Iterator[Entity]:
    for kind in sorted({kind_of(path) for path in view.paths(partition.namespace)}):
        if not is_reserved(kind):
            yield Entity(key=_key(partition, ("__kind__", kind)))


def _properties(view: View, partition: Partition) -> Iterator[Entity]:
    found: dict[tuple[str, str], set[str]] = {}
    for path in view.paths(partition.namespace):
        record = view.peek(Address(partition.namespace, path))
        for name, values in columns_of(record.entity()).items():
            found.setdefault((kind_of(path), name), set()).update(map(representation, values))
    for (kind, name), representations in found.items():
        entity = Entity(key=_key(partition, ("__kind__", kind), ("__property__", name)))
        described = entity.properties["property_representation"].array_value
        described.values.extend(Value(string_value=text) for text in sorted(representations))
        yield entity


def _statistics(kind: str) -> Callable[[View, Partition], Iterator[Entity]]:
    def make(view: View, partition: Partition) -> Iterator[Entity]:
        for fields, statistic in statistics(view, kind, partition.namespace):
            name = "_".join(fields.values()) if fields else _TOTAL
            entity = Entity(key=_key(partition, (kind, name)))
            for field, text in fields.items():
                entity.properties[field].string_value = text
            for field, number in statistic.numbers().items():
                entity.properties[field].integer_value = number
            # The last commit's time: programs take it from one statistic to filter another.
            entity.properties["timestamp"].timestamp_value.FromMicroseconds(view.version)
            yield entity

    return make


_MAKERS: Final[Mapping[str, Callable[[View, Partition], Iterator[Entity]]]] = {
    "__namespace__": _namespaces,
    "__kind__": _kinds,
    "__property__": _properties,
    **{kind: _statistics(kind) for kind in STATISTIC_KINDS},
}

METADATA_KINDS: Final = frozenset(_MAKERS)


def metadata_view(view: View, kind: str, partition: Partition) -> View:
    """The entities of a metadata kind that describe what a view holds."""
    store = Store()
    for entity in _MAKERS[kind](view, partition):
        store.load(Address.of(entity.key), Record.of(entity, view.version, view.version))
    return View(store, store.version)
