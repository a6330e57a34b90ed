"""The RPCs on queues, asked by an unmodified client."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud import tasks_v2
from google.protobuf.duration_pb2 import Duration

from gae_pusher import ConfigurationError
from gae_pusher.emulator.tasks import QueueSettings, Settings
from gae_pusher.emulator.tasks.server import TasksServer
from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server

from .conftest import PARENT, QUEUE, app_task, connect
from .worker import Worker

RUNNING = tasks_v2.Queue.State.RUNNING
PAUSED = tasks_v2.Queue.State.PAUSED
NAME = f"{PARENT}/queues/mine"


def create(client: tasks_v2.CloudTasksClient, **fields: Any) -> tasks_v2.Queue:
    return client.create_queue(parent=PARENT, queue={"name": NAME} | fields)


def test_the_default_queue_is_there_in_every_location(client: tasks_v2.CloudTasksClient) -> None:
    """App Engine's preconfigured queue: 5 a second, 5 at once, until it succeeds."""
    for parent in (PARENT, "projects/other/locations/us-east1"):
        queue = client.get_queue(name=f"{parent}/queues/default")
        assert queue.state == RUNNING
        assert queue.rate_limits.max_dispatches_per_second == 5
        assert queue.rate_limits.max_burst_size == 5
        assert queue.retry_config.max_attempts == -1


def test_a_created_queue_has_the_services_defaults(client: tasks_v2.CloudTasksClient) -> None:
    """What was not set is what Cloud Tasks picks."""
    queue = create(client)
    assert queue.rate_limits.max_dispatches_per_second == 500
    assert queue.rate_limits.max_concurrent_dispatches == 1_000
    assert queue.retry_config.max_attempts == 100
    assert queue.retry_config.min_backoff == timedelta(seconds=0.1)
    assert queue.retry_config.max_backoff == timedelta(hours=1)
    assert queue.retry_config.max_doublings == 16
    assert queue.retry_config.max_retry_duration == timedelta(0)
    assert client.get_queue(name=NAME) == queue


def test_a_queue_keeps_what_it_was_given(client: tasks_v2.CloudTasksClient) -> None:
    """Rates, retries and routing come back; the burst follows from the rate."""
    queue = create(
        client,
        rate_limits={
            "max_dispatches_per_second": 2.5,
            "max_concurrent_dispatches": 7,
            "max_burst_size": 99,
        },
        retry_config={"max_attempts": 3, "max_backoff": timedelta(seconds=9), "max_doublings": 2},
        app_engine_routing_override={"service": "worker"},
    )
    assert queue.rate_limits.max_burst_size == 3
    assert queue.rate_limits.max_concurrent_dispatches == 7
    assert queue.retry_config.max_attempts == 3
    assert queue.retry_config.max_doublings == 2
    assert queue.app_engine_routing_override.service == "worker"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "mine"}, "must have the form"),
        ({"name": f"{PARENT}/queues/under_score"}, "must have the form"),
        ({"name": f"{PARENT}/queues/{'x' * 101}"}, "must have the form"),
        ({"name": "projects/p/locations/l/queues/q"}, "does not belong to the parent"),
        ({"rate_limits": {"max_dispatches_per_second": 501}}, "at most 500"),
        ({"rate_limits": {"max_dispatches_per_second": -1}}, "over 0"),
        ({"rate_limits": {"max_concurrent_dispatches": 5_001}}, "must be 1 to 5000"),
        ({"retry_config": {"max_attempts": -2}}, "the least is -1"),
        ({"retry_config": {"max_backoff": Duration(seconds=10**15)}}, "max_backoff is 1e\\+15 s"),
        ({"retry_config": {"max_doublings": -1}}, "the least is 0"),
        ({"retry_config": {"min_backoff": timedelta(seconds=-1)}}, "it must be 0 to 315576000000"),
        ({"retry_config": {"min_backoff": timedelta(hours=2)}}, "is longer than max_backoff"),
    ],
)
def test_a_malformed_queue_is_an_invalid_argument(
    client: tasks_v2.CloudTasksClient, fields: dict[str, Any], words: str
) -> None:
    """Each documented limit has its own words."""
    with pytest.raises(InvalidArgument, match=words):
        create(client, **fields)


def test_what_is_not_emulated_is_refused(client: tasks_v2.CloudTasksClient) -> None:
    """A setting that would silently do nothing is UNIMPLEMENTED."""
    with pytest.raises(MethodNotImplemented, match="http_target"):
        create(client, http_target={"http_method": "POST"})
    with pytest.raises(MethodNotImplemented, match="by state only"):
        list(client.list_queues(request={"parent": PARENT, "filter": "name:x"}))


def test_a_queue_exists_once(client: tasks_v2.CloudTasksClient) -> None:
    """A name in use is ALREADY_EXISTS; one that was deleted is not free for days."""
    create(client)
    with pytest.raises(AlreadyExists, match="Queue already exists"):
        create(client)
    client.delete_queue(name=NAME)
    with pytest.raises(NotFound, match="existed recently"):
        client.get_queue(name=NAME)
    with pytest.raises(FailedPrecondition, match=r"existed too recently.*free again in 72"):
        create(client)
    with pytest.raises(FailedPrecondition, match="existed recently"):
        client.create_task(parent=NAME, task=app_task())


def test_a_deleted_queue_can_come_back_at_once_where_tests_want_it(
    start: Callable[..., RunningTasksServer],
) -> None:
    """queue_tombstone_seconds=0 lets a test make the same queue again, empty."""
    server = start(Settings(queue_tombstone_seconds=0))
    with connect(server.address) as client:
        create(client)
        client.pause_queue(name=NAME)
        client.create_task(parent=NAME, task=app_task(name=f"{NAME}/tasks/x"))
        client.delete_queue(name=NAME)
        create(client)
        assert list(client.list_tasks(parent=NAME)) == []


def test_an_update_changes_what_its_mask_names(client: tasks_v2.CloudTasksClient) -> None:
    """Other fields stay; output-only ones are ignored."""
    create(client, retry_config={"max_attempts": 3, "max_doublings": 5})
    queue = client.update_queue(
        queue={
            "name": NAME,
            "retry_config": {"max_doublings": 0, "max_attempts": 9},
            "rate_limits": {"max_dispatches_per_second": 20},
            "state": "PAUSED",
        },
        update_mask={
            "paths": [
                "retry_config.max_doublings",
                "rate_limits.max_dispatches_per_second",
                "state",
            ]
        },
    )
    assert (queue.retry_config.max_attempts, queue.retry_config.max_doublings) == (3, 0)
    assert queue.rate_limits.max_dispatches_per_second == 20
    assert queue.rate_limits.max_burst_size == 20
    assert queue.state == RUNNING
    assert client.get_queue(name=NAME) == queue


def test_an_update_without_a_mask_changes_all_fields(client: tasks_v2.CloudTasksClient) -> None:
    """What is not set goes back to its default."""
    create(client, retry_config={"max_attempts": 3})
    rate = {"max_dispatches_per_second": 1}
    queue = client.update_queue(queue={"name": NAME, "rate_limits": rate})
    assert (queue.retry_config.max_attempts, queue.rate_limits.max_burst_size) == (100, 1)


def test_an_update_creates_a_missing_queue(client: tasks_v2.CloudTasksClient) -> None:
    """As gcloud relies on."""
    client.update_queue(queue={"name": NAME, "retry_config": {"max_attempts": 4}})
    assert client.get_queue(name=NAME).retry_config.max_attempts == 4


def test_a_bad_mask_changes_nothing(client: tasks_v2.CloudTasksClient) -> None:
    """A field that does not exist is an error that names it."""
    before = create(client)
    with pytest.raises(InvalidArgument, match="no_such_field"):
        client.update_queue(queue={"name": NAME}, update_mask={"paths": ["no_such_field"]})
    assert client.get_queue(name=NAME) == before


def test_queues_are_listed_by_name_and_state(client: tasks_v2.CloudTasksClient) -> None:
    """In pages, per location, and those of one state when asked."""
    for short in ("b", "a", "c"):
        client.create_queue(parent=PARENT, queue={"name": f"{PARENT}/queues/{short}"})
    client.pause_queue(name=f"{PARENT}/queues/b")
    pager = client.list_queues(request={"parent": PARENT, "page_size": 2})
    assert [queue.name.rpartition("/")[2] for queue in pager] == ["a", "b", "c", "default"]
    paused = client.list_queues(request={"parent": PARENT, "filter": "state: PAUSED"})
    assert [queue.name for queue in paused] == [f"{PARENT}/queues/b"]
    other = client.list_queues(parent="projects/other/locations/us-east1")
    assert [queue.name.rpartition("/")[2] for queue in other] == ["default"]


def test_a_paused_queue_dispatches_after_resume(
    client: tasks_v2.CloudTasksClient, worker: Worker, server: RunningTasksServer
) -> None:
    """Tasks can be added meanwhile; nothing is sent until the queue is resumed."""
    assert client.pause_queue(name=QUEUE).state == PAUSED
    client.create_task(parent=QUEUE, task=app_task())
    server.wait_for("task", change="created")
    assert worker.received == []
    assert client.resume_queue(name=QUEUE).state == RUNNING
    worker.wait(1)


def test_a_purge_deletes_all_tasks(client: tasks_v2.CloudTasksClient, worker: Worker) -> None:
    """The queue is empty, says when it was purged, and goes on."""
    client.pause_queue(name=QUEUE)
    for _ in range(3):
        client.create_task(parent=QUEUE, task=app_task("/purged"))
    assert "purge_time" in client.purge_queue(name=QUEUE)
    assert list(client.list_tasks(parent=QUEUE)) == []
    client.create_task(parent=QUEUE, task=app_task("/new"))
    client.resume_queue(name=QUEUE)
    assert [request.path for request in worker.wait(1)] == ["/new"]


def test_queues_that_are_declared_are_there(start: Callable[..., RunningTasksServer]) -> None:
    """Settings name the queues of a queue.yaml; only those exist."""
    server = start(Settings(queues={"imports": QueueSettings(paused=True)}))
    with connect(server.address) as client:
        queues = list(client.list_queues(parent=PARENT))
    assert [(queue.name, queue.state) for queue in queues] == [(f"{PARENT}/queues/imports", PAUSED)]


def test_changes_are_logged(client: tasks_v2.CloudTasksClient, server: RunningTasksServer) -> None:
    """What happened to a queue can be seen later."""
    create(client)
    client.pause_queue(name=NAME)
    client.resume_queue(name=NAME)
    client.purge_queue(name=NAME)
    client.update_queue(queue={"name": NAME})
    client.delete_queue(name=NAME)
    server.wait_for("queue", change="deleted")
    changes = [entry.facts["change"] for entry in server.log("queue")]
    assert changes == ["created", "paused", "resumed", "purged", "changed", "deleted"]


def test_a_taken_port_is_an_os_error() -> None:
    """Two servers never share a port: each would have half of the queues."""
    with (
        running_tasks_server("http://127.0.0.1:1") as server,
        pytest.raises(OSError, match="in use"),
    ):
        running_tasks_server("http://127.0.0.1:1", port=server.port).__enter__()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        running_tasks_server("http://127.0.0.1:1", port=other.getsockname()[1]).__enter__()


@pytest.mark.parametrize(
    "target", ["", "127.0.0.1:8080", "https://x", "http://h/path", "http://h?q"]
)
def test_a_bad_target_is_refused(target: str) -> None:
    """The error shows what a target looks like."""
    with pytest.raises(ConfigurationError, match=r"http://127\.0\.0\.1:8080"):
        TasksServer(target)
