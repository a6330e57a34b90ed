"""A local Cloud Tasks, an unmodified client of it, and a worker that tasks are sent to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server
from tests.emulator.tasks.worker import Worker, running_worker

PARENT = "projects/demo/locations/europe-west1"
QUEUE = f"{PARENT}/queues/default"


class Clock:
    """Unix seconds that pass only when told to."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def connect(address: str) -> tasks_v2.CloudTasksClient:
    channel = grpc.insecure_channel(address)
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


@pytest.fixture
def worker() -> Iterator[Worker]:
    with running_worker() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(worker: Worker) -> Iterator[Callable[..., RunningTasksServer]]:
    """Start a server with the given arguments; it is stopped after the test."""
    running: list[Any] = []

    def start_server(settings: Any = None, **options: Any) -> RunningTasksServer:
        manager = running_tasks_server(worker.url, settings, **options)
        running.append(manager)
        server: RunningTasksServer = manager.__enter__()
        return server

    yield start_server
    for manager in running:
        manager.__exit__(None, None, None)


@pytest.fixture
def server(start: Callable[..., RunningTasksServer]) -> RunningTasksServer:
    return start()


@pytest.fixture
def client(server: RunningTasksServer) -> Iterator[tasks_v2.CloudTasksClient]:
    with connect(server.address) as connected:
        yield connected


def app_task(uri: str = "/tasks/import", body: bytes = b"{}", **fields: Any) -> dict[str, Any]:
    """A task for the app itself, as a client's user writes it."""
    return {"app_engine_http_request": {"relative_uri": uri, "body": body}, **fields}
