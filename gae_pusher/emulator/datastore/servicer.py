"""The API as gRPC sees it: bytes in, a message or a status out, one call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import grpc

from gae_pusher.emulator.datastore import messages
from gae_pusher.emulator.datastore.aggregation import serve_aggregation
from gae_pusher.emulator.datastore.database import Database
from gae_pusher.emulator.datastore.databases import Databases
from gae_pusher.emulator.datastore.querying import serve_query
from gae_pusher.emulator.datastore.refusals import Refusal

__all__ = ["SERVICE", "handlers"]

SERVICE: Final = "google.datastore.v1.Datastore"

_LEAST_SECONDS: Final = 0.001


def _timed(serve: Callable[[Database, Any, int], Any]) -> Callable[[Database, Any, int], Any]:
    """What runs a query, and tells how long that took where a client has asked to explain it."""

    def call(database: Database, request: Any, now_micros: int) -> Any:
        start = time.perf_counter_ns()
        response = serve(database, request, now_micros)
        if response.explain_metrics.HasField("execution_stats"):
            taken = response.explain_metrics.execution_stats.execution_duration
            taken.FromNanoseconds(time.perf_counter_ns() - start)
        return response

    return call


# In the proto's order.
_METHODS: Final[dict[str, Callable[[Database, Any, int], Any]]] = {
    "Lookup": Database.lookup,
    "RunQuery": _timed(serve_query),
    "RunAggregationQuery": _timed(serve_aggregation),
    "BeginTransaction": Database.begin_transaction,
    "Commit": Database.commit,
    "Rollback": Database.rollback,
    "AllocateIds": Database.allocate_ids,
    "ReserveIds": Database.reserve_ids,
}


def handlers(databases: Databases, lock: threading.Lock) -> grpc.GenericRpcHandler:
    """What a gRPC server is given. `lock` lets one call at a time at the databases."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {name: _handler(name, method, databases, lock) for name, method in _METHODS.items()},
    )


def _check_deadline(context: grpc.ServicerContext) -> None:
    """Do nothing for a client that has given up, or will before production could answer.

    gRPC rounds the shortest deadlines up to a millisecond, in which this server could answer now
    and then: a program that wants to see a deadline pass would see it pass sometimes only.
    """
    left = context.time_remaining()
    if left is not None and left < _LEAST_SECONDS:
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline exceeded")


def _handler(
    name: str,
    method: Callable[[Database, Any, int], Any],
    databases: Databases,
    lock: threading.Lock,
) -> grpc.RpcMethodHandler:
    request_type = getattr(messages, f"{name}Request")

    def call(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            with lock:
                _check_deadline(context)
                database = databases.get(request.project_id, request.database_id)
                return method(database, request, time.time_ns() // 1_000)
        except Refusal as refusal:
            context.abort(getattr(grpc.StatusCode, refusal.code.value), refusal.message)

    return grpc.unary_unary_rpc_method_handler(
        call, request_type.FromString, lambda response: response.SerializeToString()
    )
