"""Property transforms: changes that depend on what is stored (PropertyTransform in the API)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from gae_pusher.emulator.datastore.messages import ArrayValue, Entity, PropertyTransform, Value
from gae_pusher.emulator.datastore.paths import find
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.values import encode_value

__all__ = ["apply_transform"]

_LARGEST: Final = 2**63 - 1
_SMALLEST: Final = -(2**63)


def apply_transform(entity: Entity, transform: PropertyTransform, now_micros: int) -> Value:
    """Change one property; the result that is reported. Raises Refusal."""
    if not transform.property:
        raise invalid("A property transform needs the name of a property.")
    which = transform.WhichOneof("transform_type")
    if which is None:
        raise invalid(f"The transform of {transform.property} says nothing to do.")
    return _TRANSFORMS[which](find(entity, transform.property), transform, now_micros)


def _server_time(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    if transform.set_to_server_value != PropertyTransform.ServerValue.Value("REQUEST_TIME"):
        raise invalid(f"The transform of {transform.property} names no server value.")
    # The Datastore promises milliseconds here.
    stored.timestamp_value.FromMicroseconds(now_micros - now_micros % 1_000)
    return stored


def _number(value: Value) -> int | float | None:
    which = value.WhichOneof("value_type")
    if which == "integer_value":
        return value.integer_value
    return value.double_value if which == "double_value" else None


def _operand(transform: PropertyTransform, value: Value) -> int | float:
    number = _number(value)
    if number is None:
        raise invalid(f"The transform of {transform.property} needs an integer or a double.")
    return number


def _set(stored: Value, number: int | float) -> Value:
    if isinstance(number, int):
        stored.integer_value = max(_SMALLEST, min(_LARGEST, number))
    else:
        stored.double_value = number
    return stored


def _increment(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    operand, current = _operand(transform, transform.increment), _number(stored)
    return _set(stored, operand if current is None else current + operand)


def _maximum(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    operand, current = _operand(transform, transform.maximum), _number(stored)
    if current is None or math.isnan(operand) or operand > current:
        return _set(stored, operand)
    return stored


def _minimum(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    operand, current = _operand(transform, transform.minimum), _number(stored)
    if current is None or math.isnan(operand) or operand < current:
        return _set(stored, operand)
    return stored


def _identity(value: Value) -> object:
    """What makes two elements equivalent: 3 and 3.0 are, and any two NaN."""
    number = _number(value)
    if number is not None:
        return "nan" if math.isnan(number) else number
    if value.WhichOneof("value_type") == "entity_value":
        return value.entity_value.SerializeToString(deterministic=True)
    return value.WhichOneof("value_type"), encode_value(value)


def _elements(stored: Value) -> list[Value]:
    if stored.WhichOneof("value_type") != "array_value":
        stored.array_value.SetInParent()
    return list(stored.array_value.values)


def _append(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    seen = {_identity(element) for element in _elements(stored)}
    for element in transform.append_missing_elements.values:
        if _identity(element) not in seen:
            seen.add(_identity(element))
            stored.array_value.values.append(element)
    return Value(null_value=0)


def _remove(stored: Value, transform: PropertyTransform, now_micros: int) -> Value:
    gone = {_identity(element) for element in transform.remove_all_from_array.values}
    left = [element for element in _elements(stored) if _identity(element) not in gone]
    stored.array_value.CopyFrom(ArrayValue(values=left))
    return Value(null_value=0)


_TRANSFORMS: Final[Mapping[str, Callable[[Value, PropertyTransform, int], Value]]] = {
    "set_to_server_value": _server_time,
    "increment": _increment,
    "maximum": _maximum,
    "minimum": _minimum,
    "append_missing_elements": _append,
    "remove_all_from_array": _remove,
}
