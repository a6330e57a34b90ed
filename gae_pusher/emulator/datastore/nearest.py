"""Vector search: which of a query's entities are nearest to a vector (FindNearest in the API)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isnan

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.keys import check_name
from gae_pusher.emulator.datastore.messages import DistanceMeasure, Entity, Query, Value
from gae_pusher.emulator.datastore.paths import parse_path
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.vectors import MEASURES, check_vector, is_vector, vector_of

__all__ = ["Nearest"]


class Nearest:
    """A search, checked. Raises Refusal for one that the Datastore does not serve.

    `result_property` is where the distance goes in each result, "" for nowhere.
    """

    def __init__(self, query: Query) -> None:
        _check_query(query)
        search = query.find_nearest
        if search.distance_measure not in MEASURES:
            raise invalid("Unknown Distance Measure.")
        if not is_vector(search.query_vector):
            raise invalid("Query Value must be of type vector.")
        check_vector(search.query_vector)
        if search.distance_result_property:
            check_name("distance_result_property", search.distance_result_property, True)
        self.result_property: str = search.distance_result_property
        self._path = parse_path(search.vector_property.name)
        self._vector = vector_of(search.query_vector)
        self._measure = MEASURES[search.distance_measure]
        # What is more similar has the larger product, but the smaller distance.
        self._sign = -1 if search.distance_measure == DistanceMeasure.DOT_PRODUCT else 1
        self._limit: int = search.limit.value
        threshold = search.HasField("distance_threshold")
        self._most = search.distance_threshold.value * self._sign if threshold else None

    def among(self, entities: Iterable[tuple[bytes, Entity]]) -> list[tuple[bytes, float]]:
        """The names of the nearest of some named entities and their distances, nearest first.

        Entities without a vector of as many dimensions are left out.
        """
        found = [
            (self._sign * distance, name)
            for name, entity in entities
            for distance in self._distances(entity)
            if self._most is None or self._sign * distance <= self._most
        ]
        found.sort(key=lambda one: one[0])
        return [(name, self._sign * rank) for rank, name in found[: self._limit]]

    def _distances(self, entity: Entity) -> Iterator[float]:
        """The distance, if the entity has one."""
        value = _value_at(entity, self._path)
        if value is not None and is_vector(value):
            vector = vector_of(value)
            if len(vector) == len(self._vector):
                distance = self._measure(self._vector, vector)
                if not isnan(distance):
                    yield distance


def _check_query(query: Query) -> None:
    if not 1 <= query.find_nearest.limit.value <= limits.NEAREST:
        raise invalid(
            f"FindNearest.limit must be a positive integer of no more than {limits.NEAREST}"
        )
    if query.HasField("limit"):
        raise invalid("A query limit cannot be used with FindNearest")
    if query.offset:
        raise invalid("A query offset cannot be used with FindNearest")
    if query.start_cursor or query.end_cursor:
        raise invalid("A query cursor cannot be used with FindNearest")


def _value_at(entity: Entity, path: tuple[str, ...]) -> Value | None:
    *parents, last = path
    for name in parents:
        if name not in entity.properties:
            return None
        entity = entity.properties[name].entity_value
    return entity.properties.get(last)
