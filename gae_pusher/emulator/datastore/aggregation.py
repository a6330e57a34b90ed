"""Counts, sums and averages over the results of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.database import Database
from gae_pusher.emulator.datastore.explain import (
    ENTRIES_PER_READ,
    Meter,
    execution_stats,
    plan_summary,
)
from gae_pusher.emulator.datastore.gql import parse_aggregation
from gae_pusher.emulator.datastore.keys import check_name
from gae_pusher.emulator.datastore.messages import (
    Aggregation,
    MoreResults,
    Query,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    Value,
)
from gae_pusher.emulator.datastore.plan import Plan, plan_query
from gae_pusher.emulator.datastore.queries import selected
from gae_pusher.emulator.datastore.querying import (
    check_query_type,
    described,
    partition_of_query,
)
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.rows import ascending, split
from gae_pusher.emulator.datastore.values import decode_value
from gae_pusher.emulator.datastore.views import View

__all__ = ["serve_aggregation"]


def serve_aggregation(
    database: Database, request: RunAggregationQueryRequest, now_micros: int
) -> RunAggregationQueryResponse:
    """One result with all aggregations of one query."""
    partition = partition_of_query(database, request.partition_id)
    check_query_type(request)
    whole = request.aggregation_query
    if request.WhichOneof("query_type") == "gql_query":
        whole = parse_aggregation(request.gql_query, partition)
    query, aggregations = whole.nested_query, whole.aggregations
    if query.HasField("find_nearest"):
        raise invalid("Aggregations cannot be used with FindNearest")
    names = _names(aggregations)
    wanted = dict.fromkeys(name for one in aggregations for name in _property(one))
    plan = plan_query(query, partition, wanted)
    database.composite.check(plan)
    response = RunAggregationQueryResponse()
    if request.WhichOneof("query_type") == "gql_query":
        response.query.CopyFrom(whole)
    if request.HasField("explain_options"):
        response.explain_metrics.plan_summary.CopyFrom(plan_summary(plan))
        if not request.explain_options.analyze:
            return response
    view, begun = database.query_view(request.read_options, now_micros, ancestor=plan.ancestor)
    response.transaction = begun
    rows = _run(described(view, plan), plan, query, response)
    result = response.batch.aggregation_results.add()  # type: ignore[attr-defined]
    for name, aggregation in zip(names, aggregations, strict=True):
        result.aggregate_properties[name].CopyFrom(_aggregate(aggregation, rows))
    response.batch.more_results = MoreResults.NO_MORE_RESULTS  # type: ignore[assignment]
    response.batch.read_time.FromMicroseconds(view.version)
    return response


def _run(
    view: View, plan: Plan, query: Query, response: RunAggregationQueryResponse
) -> list[dict[str, Value]]:
    if not response.HasField("explain_metrics"):
        return _values(plan, selected(view, plan, query))
    meter = Meter(view)
    rows = _values(plan, selected(meter, plan, query))
    reads = max(1, ceil(meter.entries / ENTRIES_PER_READ))
    stats = execution_stats(meter.entries, entities=0, results=1, reads=reads)
    response.explain_metrics.execution_stats.CopyFrom(stats)
    return rows


def _names(aggregations: Sequence[Aggregation]) -> list[str]:
    """The alias of each, or a name that is counted up."""
    if not aggregations:
        raise invalid("Aggregations can not be empty.")
    if len(aggregations) > limits.AGGREGATIONS:
        raise invalid(f"Maximum number of aggregations allowed per query is {limits.AGGREGATIONS}.")
    names: list[str] = []
    unnamed = 0
    for aggregation in aggregations:
        if not aggregation.alias:
            unnamed += 1
        alias = aggregation.alias or f"property_{unnamed}"
        check_name("alias", alias, True)
        if alias in names:
            raise invalid(f"Aggregation aliases contain duplicate alias: {alias}.")
        names.append(alias)
    return names


def _property(aggregation: Aggregation) -> list[str]:
    """The property that is summed, if one is."""
    which = aggregation.WhichOneof("operator")
    if which is None:
        raise invalid("An aggregation needs an operator.")
    if which == "count":
        return []
    name: str = getattr(aggregation, which).property.name
    check_name("property.name", name, False)
    return [name]


def _values(plan: Plan, found: Iterator[bytes]) -> list[dict[str, Value]]:
    """The wanted values of each result; an entity with several has a result for each."""
    rows = []
    for sort_key in found:
        columns = split(sort_key, plan.columns) if plan.projected else []
        rows.append(
            {
                name: decode_value(ascending(columns[position], plan.columns[position]), Value())
                for position, name in plan.projected or ()
            }
        )
    return rows


def _aggregate(aggregation: Aggregation, rows: list[dict[str, Value]]) -> Value:
    which = aggregation.WhichOneof("operator")
    if which == "count":
        return Value(integer_value=_count(aggregation, len(rows)))
    (name,) = _property(aggregation)
    numbers = [number for row in rows for number in _numbers(row[name])]
    if which == "sum":
        return _sum(numbers)
    if not numbers:
        return Value(null_value=0)
    return Value(double_value=float(sum(numbers)) / len(numbers))


def _count(aggregation: Aggregation, found: int) -> int:
    if not aggregation.count.HasField("up_to"):
        return found
    most: int = aggregation.count.up_to.value
    if most < 0:
        raise invalid("up_to must be non-negative.")
    return min(most, found)


def _numbers(value: Value) -> list[int | float]:
    which = value.WhichOneof("value_type")
    if which == "integer_value":
        return [value.integer_value]
    return [value.double_value] if which == "double_value" else []


def _sum(numbers: list[int | float]) -> Value:
    """An integer while all are and it fits, else a double."""
    total = sum(numbers)
    if isinstance(total, int) and -(2**63) <= total < 2**63:
        return Value(integer_value=total)
    return Value(double_value=float(total))
