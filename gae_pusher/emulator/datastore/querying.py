"""The calls that run queries, on one database."""

from __future__ import annotations

from gae_pusher.emulator.datastore.database import Database
from gae_pusher.emulator.datastore.explain import Meter, execution_stats, plan_summary
from gae_pusher.emulator.datastore.gql import parse_query
from gae_pusher.emulator.datastore.keys import Partition, check_namespace
from gae_pusher.emulator.datastore.messages import (
    PartitionId,
    Query,
    RunAggregationQueryRequest,
    RunQueryRequest,
    RunQueryResponse,
)
from gae_pusher.emulator.datastore.metadata import METADATA_KINDS, metadata_view
from gae_pusher.emulator.datastore.paths import parse_mask, restrict
from gae_pusher.emulator.datastore.plan import Plan, plan_query
from gae_pusher.emulator.datastore.queries import run_query
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.views import View

__all__ = ["check_query_type", "described", "partition_of_query", "serve_query"]


def serve_query(database: Database, request: RunQueryRequest, now_micros: int) -> RunQueryResponse:
    """One batch of a query's results."""
    partition = partition_of_query(database, request.partition_id)
    check_query_type(request)
    query = request.query
    if request.WhichOneof("query_type") == "gql_query":
        query = parse_query(request.gql_query, partition)
    plan = plan_query(query, partition)
    if request.HasField("property_mask") and plan.projected:
        raise invalid("property masks are not allowed on projection queries")
    database.composite.check(plan)
    response = RunQueryResponse()
    if request.WhichOneof("query_type") == "gql_query":
        response.query.CopyFrom(query)
    if request.HasField("explain_options"):
        response.explain_metrics.plan_summary.CopyFrom(plan_summary(plan))
        if not request.explain_options.analyze:
            return response
    view, begun = database.query_view(request.read_options, now_micros, ancestor=plan.ancestor)
    response.transaction = begun
    _run(described(view, plan), plan, query, response)
    response.batch.read_time.FromMicroseconds(view.version)
    if request.HasField("property_mask"):
        mask = parse_mask(request.property_mask.paths)
        for result in response.batch.entity_results:
            restrict(result.entity, mask)
    return response


def _run(view: View, plan: Plan, query: Query, response: RunQueryResponse) -> None:
    if not response.HasField("explain_metrics"):
        run_query(view, plan, query, response.batch)
        return
    meter = Meter(view)
    run_query(meter, plan, query, response.batch)
    returned = len(response.batch.entity_results)
    entities = returned if plan.projected is None else 0
    stats = execution_stats(meter.entries, entities, returned, reads=max(1, entities))
    response.explain_metrics.execution_stats.CopyFrom(stats)


def check_query_type(request: RunQueryRequest | RunAggregationQueryRequest) -> None:
    """Raises Refusal for a request without a query: an empty query finds everything."""
    if request.WhichOneof("query_type") is None:
        raise invalid("A request needs a query or a gql_query.")


def partition_of_query(database: Database, given: PartitionId) -> Partition:
    """Where a query looks. Raises Refusal."""
    check_namespace(given.namespace_id)
    if given.project_id not in ("", database.project) or given.database_id not in (
        "",
        database.name,
    ):
        raise invalid("mismatched databases within request: the partition names another one")
    return Partition(database.project, database.name, given.namespace_id)


def described(view: View, plan: Plan) -> View:
    """What a plan reads: the view, or what describes it."""
    if plan.kind in METADATA_KINDS:
        return metadata_view(view, plan.kind, plan.partition)
    return view
