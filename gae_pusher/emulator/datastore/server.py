"""The local Datastore: a gRPC server that google-cloud-ndb and google-cloud-datastore talk to."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

import grpc

from gae_pusher.emulator.datastore.databases import Databases
from gae_pusher.emulator.datastore.servicer import handlers

__all__ = ["DatastoreServer"]

_THREADS: Final = 8
_SALT_BYTES: Final = 8
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Without it a second server could be bound to the same port, and get half of the calls.
    ("grpc.so_reuseport", 0),
)


class DatastoreServer:
    """Serves any number of projects, databases and clients, from memory.

    `start` binds, port 0 to a free one; `stop` ends the calls that are under way and releases the
    port. As a context manager it does both. `environment` is what clients need to find it.
    """

    def __init__(self, project: str = "demo", host: str = "127.0.0.1", port: int = 0) -> None:
        self.project = project
        self.host = host
        self.port = port
        self._lock = threading.Lock()
        self._databases = Databases(secrets.token_bytes(_SALT_BYTES))
        self._server: grpc.Server | None = None

    def start(self) -> None:
        """Bind and serve. Raises OSError when the port is taken."""
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="datastore")
        server = grpc.server(pool, options=_OPTIONS)
        server.add_generic_rpc_handlers((handlers(self._databases, self._lock),))
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            self.port = server.add_insecure_port(f"{host}:{self.port}")
        except RuntimeError as error:
            raise OSError(f"cannot serve a Datastore on {host}:{self.port}: {error}") from error
        server.start()
        self._server = server

    def stop(self) -> None:
        """Stop serving; what is in memory stays until the object goes."""
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = None

    def clear(self) -> None:
        """Forget all entities and transactions, as between two tests."""
        with self._lock:
            self._databases.clear()

    def environment(self) -> dict[str, str]:
        """The variables that clients read when they are made."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return {
            "DATASTORE_EMULATOR_HOST": f"{host}:{self.port}",
            "DATASTORE_PROJECT_ID": self.project,
            "DATASTORE_DATASET": self.project,
            "GOOGLE_CLOUD_PROJECT": self.project,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
