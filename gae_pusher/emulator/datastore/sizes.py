"""What keys, values and index entries take of storage (the Datastore's page "Storage size")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gae_pusher.emulator.datastore.messages import Entity, Key, Value

__all__ = ["entity_bytes", "index_entry_bytes", "key_bytes", "text_bytes", "value_bytes"]

_KEY: Final = 16
_ENTITY: Final = 32
_INDEX_ENTRY: Final = 32
_NUMBER: Final = 8


def text_bytes(text: str) -> int:
    """A string, or the name of something."""
    return len(text.encode()) + 1


def key_bytes(key: Key) -> int:
    """A key, with its namespace unless that is the default one."""
    namespace = key.partition_id.namespace_id
    total = _KEY + (text_bytes(namespace) if namespace else 0)
    for element in key.path:
        total += text_bytes(element.kind) + (text_bytes(element.name) if element.name else _NUMBER)
    return total


def entity_bytes(entity: Entity) -> int:
    """An entity without its index entries; one within another has no key, as a rule."""
    key = key_bytes(entity.key) if entity.key.path else 0
    properties = entity.properties
    return key + _ENTITY + sum(text_bytes(n) + value_bytes(properties[n]) for n in properties)


def index_entry_bytes(key: Key) -> int:
    """An entry of a kind's index; in that of a property its name and value come to it."""
    return key_bytes(key) + text_bytes(key.path[-1].kind) + _INDEX_ENTRY


_SIZES: Final[Mapping[str, Callable[[Value], int]]] = {
    "null_value": lambda value: 1,
    "boolean_value": lambda value: 1,
    "integer_value": lambda value: _NUMBER,
    "double_value": lambda value: _NUMBER,
    "timestamp_value": lambda value: _NUMBER,
    "geo_point_value": lambda value: 2 * _NUMBER,
    "key_value": lambda value: key_bytes(value.key_value),
    "string_value": lambda value: text_bytes(value.string_value),
    "blob_value": lambda value: len(value.blob_value),
    "entity_value": lambda value: entity_bytes(value.entity_value),
    "array_value": lambda value: sum(map(value_bytes, value.array_value.values)),
}


def value_bytes(value: Value) -> int:
    """A property's value."""
    return _SIZES[value.WhichOneof("value_type") or "null_value"](value)
