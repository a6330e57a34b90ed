"""The generated protobuf messages of the Datastore API (google.datastore.v1), without wrappers.

google-cloud-datastore wraps them for users; the wire and the store need the plain ones, which
parse and compare in C. To a type checker they are the wrapped ones: the fields are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud.datastore_v1 import types

__all__ = [
    "Aggregation",
    "AggregationQuery",
    "AggregationResult",
    "AllocateIdsRequest",
    "AllocateIdsResponse",
    "ArrayValue",
    "BeginTransactionRequest",
    "BeginTransactionResponse",
    "CommitMode",
    "CommitRequest",
    "CommitResponse",
    "CompositeFilter",
    "CompositeOperator",
    "Direction",
    "DistanceMeasure",
    "Entity",
    "EntityResult",
    "ExecutionStats",
    "Filter",
    "GqlQuery",
    "GqlQueryParameter",
    "Key",
    "LookupRequest",
    "LookupResponse",
    "MoreResults",
    "Mutation",
    "MutationResult",
    "PartitionId",
    "PlanSummary",
    "Projection",
    "PropertyFilter",
    "PropertyOperator",
    "PropertyOrder",
    "PropertyReference",
    "PropertyTransform",
    "Query",
    "QueryResultBatch",
    "ReadConsistency",
    "ReadOptions",
    "ReserveIdsRequest",
    "ReserveIdsResponse",
    "Resolution",
    "ResultType",
    "RollbackRequest",
    "RollbackResponse",
    "RunAggregationQueryRequest",
    "RunAggregationQueryResponse",
    "RunQueryRequest",
    "RunQueryResponse",
    "TransactionOptions",
    "Value",
]

CommitMode = types.CommitRequest.Mode
CompositeOperator = types.CompositeFilter.Operator
Direction = types.PropertyOrder.Direction
DistanceMeasure = types.FindNearest.DistanceMeasure
MoreResults = types.QueryResultBatch.MoreResultsType
PropertyOperator = types.PropertyFilter.Operator
ReadConsistency = types.ReadOptions.ReadConsistency
Resolution = types.Mutation.ConflictResolutionStrategy
ResultType = types.EntityResult.ResultType

if TYPE_CHECKING:
    from google.cloud.datastore_v1.types import (
        AggregationQuery,
        AggregationResult,
        AllocateIdsRequest,
        AllocateIdsResponse,
        ArrayValue,
        BeginTransactionRequest,
        BeginTransactionResponse,
        CommitRequest,
        CommitResponse,
        CompositeFilter,
        Entity,
        EntityResult,
        ExecutionStats,
        Filter,
        GqlQuery,
        GqlQueryParameter,
        Key,
        LookupRequest,
        LookupResponse,
        Mutation,
        MutationResult,
        PartitionId,
        PlanSummary,
        Projection,
        PropertyFilter,
        PropertyOrder,
        PropertyReference,
        PropertyTransform,
        Query,
        QueryResultBatch,
        ReadOptions,
        ReserveIdsRequest,
        ReserveIdsResponse,
        RollbackRequest,
        RollbackResponse,
        RunAggregationQueryRequest,
        RunAggregationQueryResponse,
        RunQueryRequest,
        RunQueryResponse,
        TransactionOptions,
        Value,
    )

    Aggregation = AggregationQuery.Aggregation
else:
    Aggregation = types.AggregationQuery.Aggregation.pb()

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, getattr(types, name).pb())
