"""Property values: their place in the order of values, and what an entity's indexes hold of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from gae_pusher.emulator.datastore.encoding import (
    Reader,
    encode_bytes,
    encode_double,
    encode_integer,
)
from gae_pusher.emulator.datastore.keys import Partition, decode_key, encode_path
from gae_pusher.emulator.datastore.messages import Entity, Key, Value
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = [
    "NULL",
    "Columns",
    "columns_of",
    "decode_value",
    "encode_value",
    "read_value",
    "representation",
    "skip_value",
]

# For each property that is indexed, its distinct values in their order; dots join the names of
# what is inside of entity values.
Columns = Mapping[str, list[bytes]]

NULL: Final = b"\x05"
_INTEGER: Final = b"\x10"  # timestamps too: the microseconds since 1970
_FALSE: Final = b"\x18"
_TRUE: Final = b"\x19"
_BYTES: Final = b"\x20"  # strings too: their UTF-8
_DOUBLE: Final = b"\x28"
_POINT: Final = b"\x30"
_KEY: Final = b"\x38"
_KEY_END: Final = b"\x00"

# What marks a value that was read from an index, where a timestamp cannot be told from an integer.
_MEANING_INDEX_VALUE: Final = 18


def encode_key(key: Key) -> bytes:
    """A key as a value: projects, databases and namespaces first, then paths."""
    partition = key.partition_id
    names = (partition.project_id, partition.database_id, partition.namespace_id)
    return b"".join(encode_bytes(name.encode()) for name in names) + encode_path(key) + _KEY_END


def _encode_point(value: Value) -> bytes:
    point = value.geo_point_value
    return _POINT + encode_double(point.latitude) + encode_double(point.longitude)


_ENCODERS: Final[Mapping[str, Callable[[Value], bytes]]] = {
    "null_value": lambda value: NULL,
    "integer_value": lambda value: _INTEGER + encode_integer(value.integer_value),
    "timestamp_value": lambda value: (
        _INTEGER + encode_integer(value.timestamp_value.ToMicroseconds())
    ),
    "boolean_value": lambda value: _TRUE if value.boolean_value else _FALSE,
    "string_value": lambda value: _BYTES + encode_bytes(value.string_value.encode()),
    "blob_value": lambda value: _BYTES + encode_bytes(value.blob_value),
    "double_value": lambda value: _DOUBLE + encode_double(value.double_value),
    "geo_point_value": _encode_point,
    "key_value": lambda value: _KEY + encode_key(value.key_value),
}


def encode_value(value: Value) -> bytes:
    """A value that can be compared. Raises Refusal for lists and entities, which cannot."""
    which = value.WhichOneof("value_type")
    if which is None:
        raise invalid("A value is required.")
    if which == "array_value":
        raise invalid("A list value is not allowed")
    if which == "entity_value":
        raise invalid("An entity value is not allowed")
    return _ENCODERS[which](value)


def decode_value(column: bytes, value: Value) -> Value:
    """Set a value to what an index holds: a timestamp is an integer, a blob a string if it can."""
    return read_value(Reader(column), value)


def read_value(reader: Reader, value: Value) -> Value:
    """The same for the next column of a row."""
    tag = reader.take(1)
    if tag == _INTEGER:
        value.integer_value = reader.read_integer()
    elif tag == _BYTES:
        _set_text(value, reader.read_bytes())
    elif tag == _DOUBLE:
        value.double_value = reader.read_double()
    elif tag in (_FALSE, _TRUE):
        value.boolean_value = tag == _TRUE
    else:
        _decode_rare(tag, reader, value)
        return value
    value.meaning = _MEANING_INDEX_VALUE
    return value


def _decode_rare(tag: bytes, reader: Reader, value: Value) -> None:
    if tag == NULL:
        value.null_value = 0
    elif tag == _POINT:
        value.geo_point_value.latitude = reader.read_double()
        value.geo_point_value.longitude = reader.read_double()
    else:
        _read_key(value, reader)


def _set_text(value: Value, data: bytes) -> None:
    try:
        value.string_value = data.decode()
    except UnicodeDecodeError:
        value.blob_value = data


def _read_key(value: Value, reader: Reader) -> None:
    project, database, namespace = (reader.read_bytes().decode() for _ in range(3))
    path = reader.read_path()
    reader.take(len(_KEY_END))
    value.key_value.CopyFrom(decode_key(path, Partition(project, database, namespace)))


_SIZES: Final[Mapping[bytes, int]] = {
    NULL: 0,
    _FALSE: 0,
    _TRUE: 0,
    _INTEGER: 8,
    _DOUBLE: 8,
    _POINT: 16,
}


def skip_value(reader: Reader) -> None:
    """Move behind a value."""
    tag = reader.take(1)
    if tag in _SIZES:
        reader.take(_SIZES[tag])
    elif tag == _BYTES:
        reader.read_bytes()
    else:
        for _ in range(3):
            reader.read_bytes()
        reader.read_path()
        reader.take(len(_KEY_END))


def columns_of(entity: Entity, wanted: Iterable[str] | None = None) -> dict[str, list[bytes]]:
    """What is indexed of an entity; at least the wanted properties, where only those are needed."""
    found: dict[str, set[bytes]] = {}
    properties = entity.properties
    # A dot may lead into an entity value or be part of a name.
    names = properties if wanted is None else {n for w in wanted for n in (w, w.split(".")[0])}
    for top in names:
        if top in properties:
            for name, value in _indexed_value(top, properties[top]):
                found.setdefault(name, set()).add(encode_value(value))
    return {name: sorted(values) for name, values in found.items()}


def _indexed(entity: Entity, prefix: str) -> Iterator[tuple[str, Value]]:
    # items() of a protobuf map is slow: it goes through collections.abc.
    properties = entity.properties
    for name in properties:
        yield from _indexed_value(prefix + name, properties[name])


def _indexed_value(name: str, value: Value) -> Iterator[tuple[str, Value]]:
    if value.exclude_from_indexes:
        return
    which = value.WhichOneof("value_type")
    if which == "array_value":
        for element in value.array_value.values:
            yield from _indexed_value(name, element)
    elif which == "entity_value":
        yield from _indexed(value.entity_value, name + ".")
    elif which is not None:
        yield name, value


_REPRESENTATIONS: Final[Mapping[bytes, str]] = {
    NULL: "NULL",
    _INTEGER: "INT64",
    _FALSE: "BOOLEAN",
    _TRUE: "BOOLEAN",
    _BYTES: "STRING",
    _DOUBLE: "DOUBLE",
    _POINT: "POINT",
    _KEY: "REFERENCE",
}


def representation(column: bytes) -> str:
    """What property metadata calls the type of an indexed value."""
    return _REPRESENTATIONS[column[:1]]
