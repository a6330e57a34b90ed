"""What a worker is sent, and what its answers do: an unmodified client and real connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import tasks_v2

from gae_pusher.emulator.ports import free_port
from gae_pusher.emulator.tasks import QueueSettings, RateLimits, RetryPolicy, Settings
from gae_pusher.testing.tasks import RunningTasksServer

from .conftest import QUEUE, Clock, app_task, connect
from .worker import Answer, Worker

QUICK = RetryPolicy(max_attempts=-1, min_backoff_seconds=0.01, max_backoff_seconds=0.05)
FAST = RateLimits(per_second=500, burst=500)


@pytest.fixture
def settings() -> Settings:
    return Settings(queues={"default": QueueSettings(FAST, QUICK)}, deadline_seconds=5)


@pytest.fixture
def server(start: Callable[..., RunningTasksServer], settings: Settings) -> RunningTasksServer:
    return start(settings)


@pytest.fixture
def slow(
    start: Callable[..., RunningTasksServer], settings: Settings, clock: Clock
) -> Iterator[tuple[tasks_v2.CloudTasksClient, RunningTasksServer]]:
    """A server on a clock that stands still, and its client."""
    server = start(settings, clock=clock)
    with connect(server.address) as connected:
        yield connected, server


def test_a_task_arrives_as_production_sends_it(
    client: tasks_v2.CloudTasksClient, worker: Worker
) -> None:
    """Method, path, body, and App Engine's headers with short names."""
    task = app_task("/tasks/import?x=1", b'{"a":1}', name=f"{QUEUE}/tasks/my-task")
    task["app_engine_http_request"]["headers"] = {"Content-Type": "application/json", "X-Own": "1"}
    created = client.create_task(parent=QUEUE, task=task)
    (request,) = worker.wait(1)
    assert (request.method, request.path, request.body) == ("POST", "/tasks/import?x=1", b'{"a":1}')
    assert request.headers == {
        "Host": worker.url.removeprefix("http://"),
        "Content-Type": "application/json",
        "Content-Length": "7",
        "Connection": "close",
        "X-Own": "1",
        "User-Agent": "AppEngine-Google; (+http://code.google.com/appengine)",
        "X-AppEngine-QueueName": "default",
        "X-AppEngine-TaskName": "my-task",
        "X-AppEngine-TaskRetryCount": "0",
        "X-AppEngine-TaskExecutionCount": "0",
        "X-AppEngine-TaskETA": f"{created.schedule_time.timestamp():.6f}",
    }


def test_a_caller_cannot_set_the_platforms_headers(
    client: tasks_v2.CloudTasksClient, worker: Worker
) -> None:
    """X-AppEngine-*, X-Google-* and Host are dropped; a user agent is put before App Engine's."""
    task = app_task()
    task["app_engine_http_request"]["headers"] = {
        "x-appengine-queuename": "other",
        "X-AppEngine-Cron": "true",
        "X-Google-Anything": "1",
        "Host": "evil.example",
        "User-Agent": "mine/1.0",
    }
    client.create_task(parent=QUEUE, task=task)
    (request,) = worker.wait(1)
    lower = {name.lower(): value for name, value in request.headers.items()}
    assert lower["x-appengine-queuename"] == "default"
    assert "x-appengine-cron" not in lower
    assert "x-google-anything" not in lower
    assert lower["host"] == worker.url.removeprefix("http://")
    assert lower["user-agent"].startswith("mine/1.0 AppEngine-Google;")


def test_a_uri_is_sent_as_it_is(client: tasks_v2.CloudTasksClient, worker: Worker) -> None:
    """Nobody decodes and encodes it on the way."""
    uri = "/tasks/a%2Fb%20c/../d//e?x=%c3%a9&y=a+b&z"
    client.create_task(parent=QUEUE, task=app_task(uri))
    assert worker.wait(1)[0].path == uri


def test_a_body_without_a_type_is_bytes(client: tasks_v2.CloudTasksClient, worker: Worker) -> None:
    """The default is application/octet-stream; no body has no type."""
    client.create_task(parent=QUEUE, task=app_task(body=b"\x00\x01"))
    assert worker.wait(1)[0].headers["Content-Type"] == "application/octet-stream"
    client.create_task(parent=QUEUE, task=app_task(body=b""))
    assert "Content-Type" not in worker.wait(2)[1].headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_is_sent(
    client: tasks_v2.CloudTasksClient,
    worker: Worker,
    server: RunningTasksServer,
    method: str,
) -> None:
    """A task is not always a POST."""
    task = app_task(body=b"")
    task["app_engine_http_request"]["http_method"] = method
    client.create_task(parent=QUEUE, task=task)
    assert worker.wait(1)[0].method == method
    server.wait_for("attempt", state="succeeded")


def test_an_http_task_goes_to_its_url(
    client: tasks_v2.CloudTasksClient, worker: Worker, server: RunningTasksServer
) -> None:
    """HTTP tasks have X-CloudTasks headers, their own type and nobody else's, and no App Engine."""
    request = {"url": f"{worker.url}/hook", "body": b"{}", "headers": {"Authorization": "Bearer x"}}
    client.create_task(parent=QUEUE, task={"http_request": request})
    (received,) = worker.wait(1)
    assert (received.method, received.path) == ("POST", "/hook")
    assert received.headers["X-CloudTasks-QueueName"] == "default"
    assert received.headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert received.headers["User-Agent"] == "Google-Cloud-Tasks"
    assert received.headers["Authorization"] == "Bearer x"
    assert not {"Content-Type", "X-AppEngine-QueueName"} & received.headers.keys()
    server.wait_for("attempt", url=f"{worker.url}/hook", state="succeeded")


@pytest.mark.parametrize(
    ("answer", "status", "executions"),
    [
        (Answer(500), "500", "1"),
        (Answer(404), "404", "1"),
        (Answer(302, {"Location": "/elsewhere"}), "302", "1"),
        (Answer(429), "429", "1"),
        (Answer(fault="reset"), None, "0"),
        (Answer(fault="cut"), None, "0"),
    ],
)
def test_a_failed_attempt_is_repeated(
    client: tasks_v2.CloudTasksClient,
    worker: Worker,
    server: RunningTasksServer,
    answer: Answer,
    status: str | None,
    executions: str,
) -> None:
    """Everything but a whole 2xx is a failure; the retry says what went before."""
    worker.script = [answer]
    client.create_task(parent=QUEUE, task=app_task())
    _, retry = worker.wait(2)
    assert retry.path == "/tasks/import"
    assert retry.headers["X-AppEngine-TaskRetryCount"] == "1"
    assert retry.headers["X-AppEngine-TaskExecutionCount"] == executions
    assert retry.headers.get("X-AppEngine-TaskPreviousResponse") == status
    assert retry.headers["X-AppEngine-TaskRetryReason"]
    server.wait_for("attempt", state="succeeded", attempt=2)


def test_an_app_that_is_down_is_tried_again_when_it_is_up(
    client: tasks_v2.CloudTasksClient,
    worker: Worker,
    server: RunningTasksServer,
) -> None:
    """A task waits for an app that does not listen yet."""
    away = f"http://127.0.0.1:{free_port()}/hook"
    client.create_task(parent=QUEUE, task={"http_request": {"url": away}})
    (entry, _) = server.wait_for("attempt", count=2, state="scheduled")[:2]
    assert entry.facts["status"] is None
    assert "ClientConnectorError" in entry.facts["problem"]
    assert entry.facts["retry_seconds"] > 0


def test_a_worker_that_stalls_is_left_at_the_deadline(
    start: Callable[..., RunningTasksServer], worker: Worker
) -> None:
    """After dispatch_deadline the attempt is DEADLINE_EXCEEDED and the task tried again."""
    worker.script = [Answer(fault="stall")]
    queue = QueueSettings(FAST, RetryPolicy(min_backoff_seconds=60))
    server = start(Settings(queues={"default": queue}, deadline_seconds=0.2))
    with connect(server.address) as client:
        created = client.create_task(parent=QUEUE, task=app_task())
        (entry,) = server.wait_for("attempt")
        task = client.get_task(name=created.name)
    assert entry.facts["problem"] == "no answer within 0.2 s"
    assert entry.facts["retry_seconds"] == pytest.approx(60, abs=1)
    assert task.last_attempt.response_status.code == 4
    assert (task.dispatch_count, task.response_count) == (1, 0)


def test_the_deadline_of_a_task_goes_first(
    start: Callable[..., RunningTasksServer], worker: Worker
) -> None:
    """A task that asks for more time than the default gets it."""
    worker.script = [Answer(fault="stall")]
    server = start(Settings(deadline_seconds=0.1))
    with connect(server.address) as client:
        client.create_task(parent=QUEUE, task=app_task(dispatch_deadline={"seconds": 600}))
        client.create_task(parent=QUEUE, task=app_task("/other"))
        worker.wait(2)
        server.wait_for("attempt", url="/other")
    assert server.log("attempt", url="/tasks/import") == []


def test_a_task_waits_for_its_time(
    slow: tuple[tasks_v2.CloudTasksClient, RunningTasksServer], worker: Worker, clock: Clock
) -> None:
    """Not a moment before schedule_time, and then at once."""
    client, server = slow
    at = datetime.fromtimestamp(clock.now + 3_600, UTC)
    client.create_task(parent=QUEUE, task=app_task("/later", schedule_time=at))
    clock.now += 3_599
    server.wake()
    client.create_task(parent=QUEUE, task=app_task("/now"))
    assert [request.path for request in worker.wait(1)] == ["/now"]
    clock.now += 1
    server.wake()
    assert [request.path for request in worker.wait(2)] == ["/now", "/later"]


def test_a_503_slows_the_queue(
    slow: tuple[tasks_v2.CloudTasksClient, RunningTasksServer], worker: Worker, clock: Clock
) -> None:
    """After a 503 nothing of the queue is sent for a while."""
    client, server = slow
    worker.script = [Answer(503)]
    client.create_task(parent=QUEUE, task=app_task("/first"))
    server.wait_for("attempt", status=503)
    client.create_task(parent=QUEUE, task=app_task("/second"))
    clock.now += 0.9
    server.wake()
    server.wait_for("task", count=2)
    assert len(worker.received) == 1
    clock.now += 0.2
    server.wake()
    paths = [request.path for request in worker.wait(3)]
    assert sorted(paths) == ["/first", "/first", "/second"]


def test_retry_after_is_heeded_for_http_tasks(
    slow: tuple[tasks_v2.CloudTasksClient, RunningTasksServer], worker: Worker, clock: Clock
) -> None:
    """A 429 of another worker than App Engine stops the queue for as long as it says."""
    client, server = slow
    worker.script = [Answer(429, {"Retry-After": "30"})]
    client.create_task(parent=QUEUE, task={"http_request": {"url": worker.url}})
    server.wait_for("attempt", status=429)
    clock.now += 29
    server.wake()
    client.create_task(parent=QUEUE, task=app_task("/second"))
    server.wait_for("task", count=2)
    assert len(worker.received) == 1
    clock.now += 1
    server.wake()
    assert len(worker.wait(3)) == 3


def test_the_rate_of_a_queue_is_kept(
    start: Callable[..., RunningTasksServer], worker: Worker, clock: Clock
) -> None:
    """Five of the bucket at once, then one each fifth of a second, as App Engine's default has."""
    server = start(clock=clock)
    with connect(server.address) as client:
        for _ in range(8):
            client.create_task(parent=QUEUE, task=app_task())
        server.wait_for("attempt", count=5)
        assert len(worker.received) == 5
        clock.now += 0.41
        server.wake()
        server.wait_for("attempt", count=7)
        assert len(worker.received) == 7


def test_a_task_is_given_up_after_its_last_attempt(
    client: tasks_v2.CloudTasksClient, worker: Worker, server: RunningTasksServer
) -> None:
    """A task with a limit of its own is gone after that many failures."""
    worker.script = [Answer(500)] * 5
    retry = {"max_attempts": 2, "min_backoff": {"nanos": 10_000_000}}
    created = client.create_task(parent=QUEUE, task=app_task(retry_config=retry))
    server.wait_for("attempt", state="given up", attempt=2)
    with pytest.raises(NotFound, match="existed recently"):
        client.get_task(name=created.name)
    assert len(worker.received) == 2


def test_attempts_can_be_seen_on_the_task(
    slow: tuple[tasks_v2.CloudTasksClient, RunningTasksServer], worker: Worker, clock: Clock
) -> None:
    """GetTask tells the counts and the first and last attempt."""
    client, server = slow
    worker.script = [Answer(500), Answer(404)]
    created = client.create_task(parent=QUEUE, task=app_task())
    server.wait_for("attempt", status=500)
    clock.now += 5
    server.wake()
    server.wait_for("attempt", status=404)
    task = client.get_task(name=created.name)
    assert (task.dispatch_count, task.response_count) == (2, 2)
    assert task.first_attempt.dispatch_time.timestamp() == clock.now - 5
    assert "response_time" not in task.first_attempt
    assert task.last_attempt.dispatch_time.timestamp() == clock.now
    assert task.last_attempt.response_status.code == 5
    assert task.last_attempt.response_status.message == "HTTP status code 404"
    assert task.schedule_time.timestamp() == pytest.approx(clock.now + 0.02)


def test_the_app_may_move(worker: Worker, start: Callable[..., RunningTasksServer]) -> None:
    """No connection is kept that a restarted app would not know: each attempt is a new one."""
    server = start()
    with connect(server.address) as client:
        for count in range(1, 4):
            client.create_task(parent=QUEUE, task=app_task())
            worker.wait(count)
    server.wait_for("attempt", count=3, state="succeeded")


def test_the_log_has_no_bodies(
    client: tasks_v2.CloudTasksClient, server: RunningTasksServer
) -> None:
    """What tasks carry stays out of what the command shows."""
    task: dict[str, Any] = app_task(body=b"top-secret")
    task["app_engine_http_request"]["headers"] = {"Authorization": "top-secret"}
    client.create_task(parent=QUEUE, task=task)
    server.wait_for("attempt")
    assert "top-secret" not in repr(server.log())
    assert [entry.kind for entry in server.log()] == ["task", "attempt"]
