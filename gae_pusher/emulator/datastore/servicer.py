"""The API as gRPC sees it: bytes in, a message or a status out, one call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError

from gae_pusher.emulator.datastore import messages
from gae_pusher.emulator.datastore.aggregation import serve_aggregation
from gae_pusher.emulator.datastore.database import Database
from gae_pusher.emulator.datastore.databases import Databases
from gae_pusher.emulator.datastore.querying import serve_query
from gae_pusher.emulator.datastore.refusals import Code, Refusal

__all__ = ["SERVICE", "Servicer"]

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
_METHODS: Final = {
    name: (serve, getattr(messages, f"{name}Request").FromString)
    for name, serve in {
        "Lookup": Database.lookup,
        "RunQuery": _timed(serve_query),
        "RunAggregationQuery": _timed(serve_aggregation),
        "BeginTransaction": Database.begin_transaction,
        "Commit": Database.commit,
        "Rollback": Database.rollback,
        "AllocateIds": Database.allocate_ids,
        "ReserveIds": Database.reserve_ids,
    }.items()
}


class Servicer:
    """Answers calls on these databases. `lock` lets one call at a time at them."""

    def __init__(self, databases: Databases, lock: threading.Lock) -> None:
        self._databases = databases
        self._lock = lock

    def answer(self, path: str, request: bytes, deadline: float) -> bytes:
        """The answer to one call, both in bytes. Raises Refusal.

        `path` is "/service/Method"; `deadline` is in unix seconds.
        """
        service, _, name = path[1:].partition("/")
        if service != SERVICE or name not in _METHODS:
            raise Refusal(Code.UNIMPLEMENTED, f"there is no method {path}")
        method, parse = _METHODS[name]
        message = _parsed(parse, request)
        with self._lock:
            _check_deadline(deadline)
            database = self._databases.get(message.project_id, message.database_id)
            answer = method(database, message, time.time_ns() // 1_000)
        serialized: bytes = answer.SerializeToString()
        return serialized


def _parsed(parse: Callable[[bytes], Any], request: bytes) -> Any:
    try:
        return parse(request)
    except DecodeError as error:
        raise Refusal(Code.INTERNAL, f"the request is no message of its method: {error}") from error


def _check_deadline(deadline: float) -> None:
    """Do nothing for a client that has given up, or will before production could answer.

    gRPC rounds the shortest deadlines up to a millisecond, in which this server could answer now
    and then: a program that wants to see a deadline pass would see it pass sometimes only.
    """
    if deadline - time.time() < _LEAST_SECONDS:
        raise Refusal(Code.DEADLINE_EXCEEDED, "Deadline exceeded")
