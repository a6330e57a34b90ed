"""TasksServer inside an event loop of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

from gae_pusher.emulator.tasks import Entry
from gae_pusher.emulator.tasks.server import TasksServer

from .conftest import QUEUE, app_task, connect
from .worker import Answer, Worker, running_worker


@asynccontextmanager
async def started(target: str) -> AsyncIterator[tuple[TasksServer, asyncio.Queue[Entry]]]:
    """A running server, and its log as it grows."""
    server = TasksServer(target)
    entries: asyncio.Queue[Entry] = asyncio.Queue()
    server.log.watch(entries.put_nowait)
    await server.start()
    try:
        yield server, entries
    finally:
        await server.stop()


async def attempt(entries: asyncio.Queue[Entry]) -> Entry:
    """The next attempt that ends."""
    async with asyncio.timeout(10):
        while (entry := await entries.get()).kind != "attempt":
            pass
        return entry


def test_an_asynchronous_client_in_the_same_loop(worker: Worker) -> None:
    """Client and server share a loop, and the log is told on it."""

    async def run() -> None:
        async with started(worker.url) as (server, entries):
            channel = grpc.aio.insecure_channel(server.address)
            transport = CloudTasksGrpcAsyncIOTransport(channel=channel)
            client = tasks_v2.CloudTasksAsyncClient(transport=transport)
            await client.create_task(parent=QUEUE, task=app_task())
            assert (await attempt(entries)).facts["state"] == "succeeded"
            await channel.close()

    asyncio.run(run())


def test_a_blocking_client_in_the_same_thread(worker: Worker) -> None:
    """The API is answered on threads of its own: a call that blocks the loop is no deadlock."""

    async def run() -> None:
        async with started(worker.url) as (server, entries):
            with connect(server.address) as client:
                client.create_task(parent=QUEUE, task=app_task(), timeout=5)
            assert (await attempt(entries)).facts["status"] == 200

    asyncio.run(run())


def test_the_target_can_change_while_it_runs(worker: Worker) -> None:
    """A task that failed at the old place is tried again at the new one."""

    async def run(other: Worker) -> None:
        async with started(worker.url) as (server, entries):
            worker.script = [Answer(500)]
            with connect(server.address) as client:
                client.create_task(parent=QUEUE, task=app_task())
            assert (await attempt(entries)).facts["status"] == 500
            server.target = other.url
            assert (await attempt(entries)).facts["status"] == 200

    with running_worker() as other:
        asyncio.run(run(other))
        assert len(other.received) == len(worker.received) == 1


def test_stopping_does_not_wait_for_a_worker_that_hangs(worker: Worker) -> None:
    """Attempts under way are dropped: Ctrl-C ends at once."""
    worker.script = [Answer(fault="stall")]

    async def run() -> None:
        async with asyncio.timeout(5), started(worker.url) as (server, _):
            with connect(server.address) as client:
                client.create_task(parent=QUEUE, task=app_task())
            await asyncio.to_thread(worker.wait, 1)

    asyncio.run(run())


def test_no_other_server_gets_a_share_of_the_port() -> None:
    """Two servers on one port would lose each other's queues; gRPC's default allows them."""

    async def run() -> None:
        async with started("http://127.0.0.1:1") as (server, _):
            other = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 1)])
            with pytest.raises(RuntimeError):
                other.add_insecure_port(server.address)

    asyncio.run(run())


def test_a_server_that_never_started_can_be_stopped() -> None:
    """Whoever cleans up after a failed start need not know how far it came."""
    asyncio.run(TasksServer("http://127.0.0.1:1").stop())
