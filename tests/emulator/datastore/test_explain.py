"""Query explain, as google-cloud-datastore asks for it and reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import datastore
from google.cloud.datastore.query import PropertyFilter
from google.cloud.datastore.query_profile import ExplainOptions, QueryExplainError

from gae_pusher.emulator.datastore.server import DatastoreServer

ANALYZE = ExplainOptions(analyze=True)


@pytest.fixture
def client(server: DatastoreServer) -> Iterator[datastore.Client]:
    client = datastore.Client(project=os.environ["DATASTORE_PROJECT_ID"])
    for number in range(1, 6):
        entity = datastore.Entity(client.key("List", 1, "Task", number))
        entity.update(n=number, even=number % 2 == 0)
        client.put(entity)
    yield client
    client.close()


def indexes(metrics: Any) -> list[tuple[str, str]]:
    used = metrics.plan_summary.indexes_used
    return [(index["query_scope"], index["properties"]) for index in used]


def test_a_plan_is_explained_without_results(client: datastore.Client) -> None:
    """Without analyze a client gets the indexes, no results and no statistics."""
    iterator = client.query(kind="Task", explain_options=ExplainOptions()).fetch()
    metrics = iterator.explain_metrics
    assert indexes(metrics) == [("Collection group", "(__name__ ASC)")]
    assert list(iterator) == []
    with pytest.raises(QueryExplainError):
        _ = metrics.execution_stats


@pytest.mark.parametrize(
    ("order", "ancestor", "expected"),
    [
        (["-n"], False, [("Collection group", "(n DESC, __name__ ASC)")]),
        (["n"], True, [("Includes ancestors", "(n ASC, __name__ ASC)")]),
        (["-__key__"], False, [("Collection group", "(__name__ DESC)")]),
    ],
)
def test_indexes(
    client: datastore.Client, order: list[str], ancestor: bool, expected: list[tuple[str, str]]
) -> None:
    """The indexes are named with their columns, directions and scope."""
    query = client.query(kind="Task", order=order, explain_options=ExplainOptions())
    if ancestor:
        query.ancestor = client.key("List", 1)
    assert indexes(query.fetch().explain_metrics) == expected


def test_an_index_for_each_alternative(client: datastore.Client) -> None:
    """A query with alternatives names the index that they share once."""
    query = client.query(kind="Task", explain_options=ExplainOptions())
    query.add_filter(filter=PropertyFilter("n", "IN", [1, 2]))
    assert indexes(query.fetch().explain_metrics) == [
        ("Collection group", "(n ASC, __name__ ASC)"),
    ]


def test_what_a_query_cost(client: datastore.Client) -> None:
    """With analyze a client gets the results, and afterwards what was read for them."""
    query = client.query(kind="Task", explain_options=ANALYZE)
    query.add_filter(filter=PropertyFilter("n", ">", 2))
    iterator = query.fetch()
    assert [entity["n"] for entity in iterator] == [3, 4, 5]
    stats = iterator.explain_metrics.execution_stats
    assert (stats.results_returned, stats.read_operations) == (3, 3)
    assert stats.execution_duration.total_seconds() > 0
    assert stats.debug_stats["documents_scanned"] == "3"
    assert stats.debug_stats["index_entries_scanned"] == "3"


def test_keys_read_no_entities(client: datastore.Client) -> None:
    """A query for keys is one read, whatever it returns."""
    query = client.query(kind="Task", explain_options=ANALYZE)
    query.keys_only()
    iterator = query.fetch()
    assert len(list(iterator)) == 5
    stats = iterator.explain_metrics.execution_stats
    assert (stats.results_returned, stats.read_operations) == (5, 1)
    assert stats.debug_stats["documents_scanned"] == "0"


def test_aggregations(client: datastore.Client) -> None:
    """An aggregation is explained alike, also in a transaction."""
    nested = client.query(kind="Task", ancestor=client.key("List", 1))
    planned = client.aggregation_query(nested, explain_options=ExplainOptions()).sum("n").fetch()
    assert indexes(planned.explain_metrics) == [("Includes ancestors", "(n ASC, __name__ ASC)")]
    with client.transaction():
        analyzed = client.aggregation_query(nested, explain_options=ANALYZE).sum("n").fetch()
        ((result,),) = list(analyzed)
    assert result.value == 15
    stats = analyzed.explain_metrics.execution_stats
    assert (stats.results_returned, stats.read_operations) == (1, 1)
    assert stats.debug_stats["index_entries_scanned"] == "5"
