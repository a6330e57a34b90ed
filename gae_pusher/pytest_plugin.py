"""Fixtures for the tests of applications; pytest finds them when gae-pusher is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gae_pusher.testing.channels import RunningServer
    from gae_pusher.testing.datastore import DatastoreServer

__all__ = ["channels_server", "datastore", "datastore_server"]


@pytest.fixture
def channels_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A local Channels server for one test, with PUSHER_URL pointing at it and nothing else set.

    `channels_server.wait_for_event(channel, event)` waits for what your code triggers.
    """
    from gae_pusher.environment import VARIABLES
    from gae_pusher.testing import running_server

    # A PUSHER_CLUSTER of the shell would lead a test to the real service.
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with running_server() as server:
        monkeypatch.setenv("PUSHER_URL", server.pusher_url)
        yield server


@pytest.fixture(scope="session")
def datastore_server() -> Iterator[DatastoreServer]:
    """A local Datastore for all tests of a run, in memory. Ask for `datastore` in a test."""
    from gae_pusher.testing.datastore import running_datastore

    with running_datastore() as server:
        yield server


@pytest.fixture
def datastore(
    datastore_server: DatastoreServer, monkeypatch: pytest.MonkeyPatch
) -> DatastoreServer:
    """An empty local Datastore, with DATASTORE_EMULATOR_HOST and the project pointing at it.

    `ndb.Client()` and `datastore.Client()` that are made in the test use it.
    """
    datastore_server.clear()
    for name, value in datastore_server.environment().items():
        monkeypatch.setenv(name, value)
    return datastore_server
