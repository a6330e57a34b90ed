"""The local Datastore: a gRPC server that google-cloud-ndb and google-cloud-datastore talk to."""

from __future__ import annotations

import secrets
import threading
from types import TracebackType
from typing import Final, Self

from gae_pusher.emulator.datastore.databases import Databases
from gae_pusher.emulator.datastore.servicer import Servicer
from gae_pusher.emulator.datastore.serving import SerialServer
from gae_pusher.emulator.datastore.settings import Settings

__all__ = ["DatastoreServer"]

_SALT_BYTES: Final = 8


class DatastoreServer:
    """Serves any number of projects, databases and clients.

    `start` binds, port 0 to a free one; `stop` ends the calls that are under way and releases the
    port and the data file. As a context manager it does both, once. `environment` is what clients
    need to find it; the server itself serves every project that they name.
    """

    def __init__(
        self,
        project: str = "demo",
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.project = project
        self.host = host
        self.port = port
        self._lock = threading.Lock()
        self._databases: Databases | None = None
        self._server: SerialServer | None = None

    def start(self) -> None:
        """Bind and serve. Raises OSError when the port is taken, and ConfigurationError for a data
        file that cannot be used.
        """
        databases = Databases(self.settings, secrets.token_bytes(_SALT_BYTES))
        try:
            self._server = self._serve(databases)
        except BaseException:
            databases.close()
            raise
        self._databases = databases

    def _serve(self, databases: Databases) -> SerialServer:
        server = SerialServer(Servicer(databases, self._lock).answer)
        self.port = server.bind(self.host, self.port)
        server.start()
        return server

    def stop(self) -> None:
        """Stop serving, write suggestions down, and forget what is only in memory."""
        try:
            self._write_suggestions()
        finally:
            self._stop()

    def _write_suggestions(self) -> None:
        suggested = self.suggested_indexes()
        if suggested and self.settings.suggestions is not None:
            self.settings.suggestions.write_text(suggested, "utf-8")

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._databases is not None:
            with self._lock:
                self._databases.close()
            self._databases = None

    def clear(self) -> None:
        """Forget all entities and transactions, as between two tests."""
        if self._databases is not None:
            with self._lock:
                self._databases.clear()

    def suggested_indexes(self) -> str:
        """The index.yaml that the queries so far need in production; "" when they need none."""
        if self._databases is None:
            return ""
        with self._lock:
            return self._databases.composite.suggestion()

    @property
    def address(self) -> str:
        """HOST:PORT, what DATASTORE_EMULATOR_HOST has to be."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables that clients read when they are made."""
        return {
            "DATASTORE_EMULATOR_HOST": self.address,
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
