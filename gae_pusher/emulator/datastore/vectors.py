"""Vectors: lists of doubles, and how far they are from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import dist, hypot, nan
from typing import Final

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.messages import DistanceMeasure, Value
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = ["MEASURES", "Vector", "check_vector", "is_vector", "vector_of"]

Vector = Sequence[float]

# What tells a vector from a list that happens to be of doubles.
_MEANING: Final = 31


def is_vector(value: Value) -> bool:
    """Whether a value says that it is one."""
    return value.meaning == _MEANING and value.WhichOneof("value_type") == "array_value"


def check_vector(value: Value) -> None:
    """Raises Refusal for what says that it is a vector, and cannot be stored or searched as one."""
    elements = value.array_value.values
    if not elements:
        raise invalid("Cannot have a zero length vector.")
    if len(elements) > limits.VECTOR_DIMENSIONS:
        raise invalid(
            f"Vectors must be at most {limits.VECTOR_DIMENSIONS} dimensions, not {len(elements)}."
        )
    if any(element.WhichOneof("value_type") != "double_value" for element in elements):
        raise invalid("Vector must only contain values of type 'double'.")


def vector_of(value: Value) -> Vector:
    """The numbers of a vector."""
    return [element.double_value for element in value.array_value.values]


def _dot(one: Vector, other: Vector) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


def _cosine(one: Vector, other: Vector) -> float:
    lengths = hypot(*one) * hypot(*other)
    return 1 - _dot(one, other) / lengths if lengths else nan


# NaN where there is no distance: a vector of zeros has no direction.
MEASURES: Final[Mapping[int, Callable[[Vector, Vector], float]]] = {
    DistanceMeasure.EUCLIDEAN: dist,
    DistanceMeasure.COSINE: _cosine,
    DistanceMeasure.DOT_PRODUCT: _dot,
}
