"""Vectors and the search for the nearest of them, as the API has it."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import pytest

from gae_pusher.emulator.datastore.messages import DistanceMeasure, Mutation, Query, Value
from gae_pusher.emulator.datastore.server import DatastoreServer
from tests.emulator.datastore.raw import Excluded, Raw, message_value

EUCLIDEAN, COSINE, DOT_PRODUCT = (
    DistanceMeasure.EUCLIDEAN,
    DistanceMeasure.COSINE,
    DistanceMeasure.DOT_PRODUCT,
)


def vector(*numbers: Any) -> Value:
    value = message_value(Excluded([float(number) for number in numbers]))
    value.meaning = 31
    return value


@pytest.fixture
def raw(server: DatastoreServer) -> Iterator[Raw]:
    client = Raw(f"127.0.0.1:{server.port}")
    client.put(
        client.entity(client.key("V", "east"), v=vector(1, 0), n=1),
        client.entity(client.key("V", "far"), v=vector(3, 4), n=2),
        client.entity(client.key("V", "north"), v=vector(0, 2), n=1),
        client.entity(client.key("V", "zero"), v=vector(0, 0), n=1),
        client.entity(client.key("V", "other size"), v=vector(1, 2, 3), n=1),
        client.entity(client.key("V", "a list"), v=[1.0, 0.0], n=1),
        client.entity(client.key("V", "none"), n=1),
        client.entity(client.key("V", "inside"), inner={"v": vector(1, 0)}),
    )
    yield client
    client.close()


def nearest(raw: Raw, measure: int, **fields: Any) -> Query:
    name = fields.pop("name", "v")
    threshold = fields.pop("threshold", None)
    query = raw.query("V", **fields)
    search = query.find_nearest
    search.vector_property.name = name
    search.query_vector.CopyFrom(vector(1, 0))
    search.distance_measure = measure
    search.distance_result_property = "distance"
    search.limit.value = 10
    if threshold is not None:
        search.distance_threshold.value = threshold
    return query


def distances(raw: Raw, query: Query) -> dict[str, float]:
    results = raw.run(query).entity_results
    return {
        result.entity.key.path[0].name: result.entity.properties["distance"].double_value
        for result in results
    }


class TestSearch:
    @pytest.mark.parametrize(
        ("measure", "expected"),
        [
            (EUCLIDEAN, {"east": 0, "zero": 1, "north": sqrt(5), "far": sqrt(20)}),
            (COSINE, {"east": 0, "far": 0.4, "north": 1}),
            (DOT_PRODUCT, {"far": 3, "east": 1, "north": 0, "zero": 0}),
        ],
    )
    def test_measures(self, raw: Raw, measure: int, expected: dict[str, float]) -> None:
        """Entities with a vector of the same size come nearest first, with their distance."""
        found = distances(raw, nearest(raw, measure))
        assert found == pytest.approx(expected)
        assert list(found) == list(expected)

    @pytest.mark.parametrize(
        ("measure", "threshold", "expected"),
        [
            (EUCLIDEAN, 1, ["east", "zero"]),
            (COSINE, 0.5, ["east", "far"]),
            (DOT_PRODUCT, 1, ["far", "east"]),
        ],
    )
    def test_threshold(self, raw: Raw, measure: int, threshold: float, expected: list[str]) -> None:
        """What is less similar than the threshold is left out."""
        assert list(distances(raw, nearest(raw, measure, threshold=threshold))) == expected

    def test_with_the_rest_of_a_query(self, raw: Raw) -> None:
        """Filters, projections and the limit apply; inner vectors are found by their path."""
        assert list(distances(raw, nearest(raw, EUCLIDEAN, where=("n", "=", 2)))) == ["far"]
        assert list(distances(raw, nearest(raw, EUCLIDEAN, name="inner.v"))) == ["inside"]
        query = nearest(raw, EUCLIDEAN, projection=["n"])
        query.find_nearest.limit.value = 1
        (result,) = raw.run(query).entity_results
        assert set(result.entity.properties) == {"n", "distance"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            (vector(*range(2_049)), "Vectors must be at most 2048 dimensions, not 2049."),
            (vector(), "Cannot have a zero length vector."),
            (
                Value(array_value=message_value([1]).array_value, meaning=31),
                "Vector must only contain values of type 'double'.",
            ),
            (
                Value(array_value=message_value([1.0]).array_value, meaning=31),
                "Vectors must be excluded from indexes.",
            ),
        ],
    )
    def test_vectors(self, raw: Raw, value: Value, complaint: str) -> None:
        """What says that it is a vector and is none is not stored."""
        mutation = Mutation(upsert=raw.entity(raw.key("V", 1), v=value))
        refusal = raw.refusal("Commit", mode=2, mutations=[mutation])
        assert refusal == ("INVALID_ARGUMENT", complaint)

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"limit": 1}, "A query limit cannot be used with FindNearest"),
            ({"offset": 1}, "A query offset cannot be used with FindNearest"),
            ({"start_cursor": b"c"}, "A query cursor cannot be used with FindNearest"),
            ({"name": ""}, "'' is not a property path."),
        ],
    )
    def test_queries(self, raw: Raw, fields: dict[str, Any], complaint: str) -> None:
        """What has no meaning together with a search is refused."""
        query = nearest(raw, EUCLIDEAN, **fields)
        assert raw.refusal("RunQuery", query=query) == ("INVALID_ARGUMENT", complaint)

    def test_searches(self, raw: Raw) -> None:
        """A search needs a limit, a measure, a vector and a name for the distance that may be."""
        query = nearest(raw, EUCLIDEAN)
        query.find_nearest.limit.value = 101
        assert "no more than 100" in raw.refusal("RunQuery", query=query)[1]
        unmeasured = nearest(raw, DistanceMeasure.DISTANCE_MEASURE_UNSPECIFIED)
        assert raw.refusal("RunQuery", query=unmeasured)[1] == "Unknown Distance Measure."
        query = nearest(raw, EUCLIDEAN)
        query.find_nearest.query_vector.meaning = 0
        told = raw.refusal("RunQuery", query=query)[1]
        assert told == "Query Value must be of type vector."
        query = nearest(raw, EUCLIDEAN)
        query.find_nearest.distance_result_property = "__d__"
        assert "is reserved" in raw.refusal("RunQuery", query=query)[1]

    def test_aggregations(self, raw: Raw) -> None:
        """Results of a search are not aggregated."""
        asked = {"nested_query": nearest(raw, EUCLIDEAN), "aggregations": [{"count": {}}]}
        refusal = raw.refusal("RunAggregationQuery", aggregation_query=asked)
        assert refusal == ("INVALID_ARGUMENT", "Aggregations cannot be used with FindNearest")
