"""The least that a Datastore in Python can be: a gRPC server that puts and gets from a dict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from gae_pusher.emulator.datastore import messages

SERVICE = "google.datastore.v1.Datastore"


class BareServer:
    """Upserts with complete keys and lookups; no check, no index, no transaction."""

    def __init__(self) -> None:
        self.entities: dict[bytes, Any] = {}
        self.port = 0

    def lookup(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = messages.LookupResponse()
        for key in request.keys:
            entity = self.entities.get(key.SerializeToString())
            if entity is None:
                response.missing.add().entity.key.CopyFrom(key)
            else:
                response.found.add().entity.CopyFrom(entity)
        return response

    def commit(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = messages.CommitResponse()
        for mutation in request.mutations:
            self.entities[mutation.upsert.key.SerializeToString()] = mutation.upsert
            response.mutation_results.add()
        return response


def _handler(name: str, method: Callable[..., Any]) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        method,
        getattr(messages, f"{name}Request").FromString,
        lambda response: response.SerializeToString(),
    )


@contextmanager
def running_bare_server() -> Iterator[BareServer]:
    bare = BareServer()
    server = grpc.server(ThreadPoolExecutor(8))
    methods = {"Lookup": _handler("Lookup", bare.lookup), "Commit": _handler("Commit", bare.commit)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    bare.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield bare
    server.stop(None).wait()
