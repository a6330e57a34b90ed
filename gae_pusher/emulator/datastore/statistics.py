"""The kinds that count the others: __Stat_Total__, __Stat_Kind__ and the like.

In production they are written once a day or so; here they are made when they are asked for
(the Datastore's page "Statistics"; the keys are those of the App Engine SDK).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from gae_pusher.emulator.datastore.messages import Entity, Value
from gae_pusher.emulator.datastore.sizes import (
    entity_bytes,
    index_entry_bytes,
    text_bytes,
    value_bytes,
)
from gae_pusher.emulator.datastore.store import Address
from gae_pusher.emulator.datastore.views import View

__all__ = ["STATISTIC_KINDS", "Statistic", "statistics"]

# What each kind of statistic has one entity for, in the order that its names are put together in.
_ENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Total": (),
    "Namespace": ("subject_namespace",),
    "Kind": ("kind_name",),
    "Kind_IsRootEntity": ("kind_name",),
    "Kind_NotRootEntity": ("kind_name",),
}
_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "PropertyType": ("property_type",),
    "PropertyType_Kind": ("property_type", "kind_name"),
    "PropertyName_Kind": ("property_name", "kind_name"),
    "PropertyType_PropertyName_Kind": ("property_type", "property_name", "kind_name"),
}
_WHOLE: Final = {f"__Stat_{name}__": name for name in (*_ENTITIES, *_PROPERTIES)}
_OF_NAMESPACE: Final = {
    f"__Stat_Ns_{name}__": name for name in _WHOLE.values() if name != "Namespace"
}
STATISTIC_KINDS: Final = frozenset({*_WHOLE, *_OF_NAMESPACE})

_TYPES: Final = {
    "null_value": "NULL",
    "boolean_value": "Boolean",
    "integer_value": "Integer",
    "double_value": "Float",
    "timestamp_value": "Date/Time",
    "geo_point_value": "GeoPt",
    "key_value": "Key",
    "entity_value": "EmbeddedEntity",
    "string_value": "String",
    "blob_value": "ShortBlob",
}
_UNINDEXED_TYPES: Final = {"string_value": "Text", "blob_value": "Blob"}
# Every property is indexed ascending and descending.
_DIRECTIONS: Final = 2


@dataclass(slots=True)
class Statistic:
    """How many there are of something, what they take, and what their built-in indexes take."""

    count: int = 0
    entity_bytes: int = 0
    builtin_index_count: int = 0
    builtin_index_bytes: int = 0

    def add(self, size: int, index_entries: int, index_bytes: int) -> None:
        """Count one more."""
        self.count += 1
        self.entity_bytes += size
        self.builtin_index_count += index_entries
        self.builtin_index_bytes += index_bytes

    def numbers(self) -> Mapping[str, int]:
        """What the properties of the statistic's entity are; composite indexes are not counted."""
        return {
            "count": self.count,
            "bytes": self.entity_bytes + self.builtin_index_bytes,
            "entity_bytes": self.entity_bytes,
            "builtin_index_count": self.builtin_index_count,
            "builtin_index_bytes": self.builtin_index_bytes,
            "composite_index_count": 0,
            "composite_index_bytes": 0,
        }


class _Fact(NamedTuple):
    """What is counted: an entity, or a value of one of its properties."""

    fields: Mapping[str, str]
    size: int
    index_entries: int
    index_bytes: int


def statistics(
    view: View, kind: str, namespace: str
) -> Iterator[tuple[Mapping[str, str], Statistic]]:
    """The entities of a statistic kind in a namespace: their fields, and what was counted.

    Those of the whole database are in the default namespace only, those of one namespace in each,
    when there are others than the default one.
    """
    spaces = view.namespaces()
    if kind in _OF_NAMESPACE:
        spaces = [namespace] if spaces != [""] else []
    elif namespace:
        spaces = []
    name = _WHOLE.get(kind) or _OF_NAMESPACE[kind]
    fields = _ENTITIES[name] if name in _ENTITIES else _PROPERTIES[name]
    found: dict[tuple[str, ...], Statistic] = defaultdict(Statistic)
    for fact in _facts(view, name, spaces):
        found[tuple(fact.fields[field] for field in fields)].add(*fact[1:])
    for group, statistic in found.items():
        yield dict(zip(fields, group, strict=True)), statistic


def _facts(view: View, name: str, namespaces: Iterable[str]) -> Iterator[_Fact]:
    for namespace in namespaces:
        for path in view.paths(namespace):
            entity = view.peek(Address(namespace, path)).entity()
            if name in _PROPERTIES:
                yield from _value_facts(entity)
            elif _is_counted(name, entity):
                yield _entity_fact(entity, namespace)


def _is_counted(name: str, entity: Entity) -> bool:
    is_root = len(entity.key.path) == 1
    return {"Kind_IsRootEntity": is_root, "Kind_NotRootEntity": not is_root}.get(name, True)


def _entity_fact(entity: Entity, namespace: str) -> _Fact:
    values = list(_value_facts(entity))
    return _Fact(
        {"kind_name": entity.key.path[-1].kind, "subject_namespace": namespace},
        entity_bytes(entity),
        1 + sum(fact.index_entries for fact in values),
        index_entry_bytes(entity.key) + sum(fact.index_bytes for fact in values),
    )


def _value_facts(entity: Entity) -> Iterator[_Fact]:
    kind, entry = entity.key.path[-1].kind, index_entry_bytes(entity.key)
    properties = entity.properties
    for name in properties:
        value, named = properties[name], text_bytes(name)
        is_list = value.WhichOneof("value_type") == "array_value"
        for element in value.array_value.values if is_list else (value,):
            size = named + value_bytes(element)
            entries = 0 if element.exclude_from_indexes else _DIRECTIONS
            fields = {"kind_name": kind, "property_name": name, "property_type": _type(element)}
            yield _Fact(fields, size, entries, entries * (entry + size))


def _type(value: Value) -> str:
    which = value.WhichOneof("value_type") or "null_value"
    return (
        _UNINDEXED_TYPES.get(which, _TYPES[which]) if value.exclude_from_indexes else _TYPES[which]
    )
