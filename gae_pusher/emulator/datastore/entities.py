"""What an entity may hold, checked before it is stored."""

from __future__ import annotations

from typing import Final

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.keys import check_complete, check_key, check_name
from gae_pusher.emulator.datastore.messages import Entity, Value
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.vectors import check_vector, is_vector

__all__ = ["check_entity", "check_size"]

# The first and last second of the years 1 and 9999.
_SECONDS: Final = range(-62_135_596_800, 253_402_300_800)


def check_entity(entity: Entity) -> None:
    """Raises Refusal unless all names and values are allowed; cuts times to microseconds."""
    if not entity.key.path:
        raise invalid("Entity is missing key.")
    check_key(entity.key, writing=True)
    _check_properties(entity, 0)


def check_size(entity: Entity) -> None:
    """Raises Refusal when an entity is larger than the Datastore stores."""
    size = entity.ByteSize()
    if size > limits.ENTITY_BYTES:
        kind = entity.key.path[-1].kind
        raise invalid(
            f"The entity of kind {kind} has {size} bytes, more than {limits.ENTITY_BYTES}."
        )


def _check_properties(entity: Entity, depth: int) -> None:
    if depth > limits.NESTING:
        raise invalid(f"At most {limits.NESTING} nested entity values are supported.")
    # items() of a protobuf map is slow: it goes through collections.abc.
    properties = entity.properties
    for name in properties:
        # The key of an entity within an entity is kept under this name by older clients.
        check_name("property.name", name, depth == 0 or name != "__key__")
        _check_value(name, properties[name], depth)


def _check_value(name: str, value: Value, depth: int) -> None:
    which = value.WhichOneof("value_type")
    if which is None:
        raise invalid(f'The value "{name}" does not contain a value.')
    if which == "array_value":
        _check_list(name, value, depth)
    elif which == "entity_value":
        _check_properties(value.entity_value, depth + 1)
    elif which == "key_value":
        check_complete(value.key_value)
    elif which == "timestamp_value":
        _check_time(value)
    elif which == "geo_point_value":
        _check_point(value)
    elif which in ("string_value", "blob_value"):
        _check_length(name, value)


def _check_list(name: str, value: Value, depth: int) -> None:
    if is_vector(value):
        check_vector(value)
        if not value.exclude_from_indexes:
            raise invalid("Vectors must be excluded from indexes.")
        return
    if value.exclude_from_indexes:
        raise invalid("Exclude from indexes cannot be set on a list value")
    if value.meaning:
        raise invalid("A Value containing a list_value cannot specify a meaning.")
    for element in value.array_value.values:
        if element.WhichOneof("value_type") == "array_value":
            raise invalid("list_value cannot contain a Value containing another list_value.")
        _check_value(name, element, depth)


def _check_time(value: Value) -> None:
    time = value.timestamp_value
    if time.seconds not in _SECONDS:
        raise invalid("Timestamp seconds exceeds limit for field")
    if time.nanos % 1_000:
        time.nanos -= time.nanos % 1_000


def _check_point(value: Value) -> None:
    point = value.geo_point_value
    if not -90 <= point.latitude <= 90:
        raise invalid("Geo point latitude outside permitted range -90.0 to 90.0.")
    if not -180 <= point.longitude <= 180:
        raise invalid("Geo point longitude outside permitted range -180.0 to 180.0.")


def _check_length(name: str, value: Value) -> None:
    most = limits.VALUE_BYTES if value.exclude_from_indexes else limits.INDEXED_BYTES
    # A string has at least as many bytes as characters, and at most four times as many.
    data = value.string_value or value.blob_value
    if len(data) * 4 <= most:
        return
    if len(data.encode() if isinstance(data, str) else data) > most:
        raise invalid(f'The value of property "{name}" is longer than {most} bytes.')
