"""A server for all tests of this folder, emptied for each, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import ndb

from gae_pusher.emulator.datastore.server import DatastoreServer


@pytest.fixture(scope="module")
def shared_server() -> Iterator[DatastoreServer]:
    """One server for the tests of a module."""
    with DatastoreServer("demo") as server:
        yield server


@pytest.fixture
def server(shared_server: DatastoreServer, monkeypatch: pytest.MonkeyPatch) -> DatastoreServer:
    """An empty server that new clients find."""
    shared_server.clear()
    for name, value in shared_server.environment().items():
        monkeypatch.setenv(name, value)
    return shared_server


@pytest.fixture
def client(server: DatastoreServer) -> ndb.Client:
    """An unmodified google-cloud-ndb client."""
    return ndb.Client()


@pytest.fixture
def context(client: ndb.Client) -> Iterator[ndb.context.Context]:
    """A context that asks the server each time, without a cache."""
    with client.context(cache_policy=False) as context:
        yield context
