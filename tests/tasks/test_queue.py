"""TaskQueue: what it sends to Cloud Tasks, what it refuses, what it says when that goes wrong."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from gae_pusher import (
    ConfigurationError,
    ConnectionFailed,
    InvalidTask,
    TaskApp,
    TaskError,
    TaskQueue,
    TaskTooLarge,
    TransportTimeout,
    UnknownQueue,
)
from gae_pusher.emulator.ports import free_port
from gae_pusher.limits import TASK_BYTES
from gae_pusher.tasks.client import LazyClient
from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server
from tests.emulator.tasks.worker import Worker, running_worker

QUEUE = "projects/demo/locations/us-central1/queues/default"


@pytest.fixture
def worker() -> Iterator[Worker]:
    with running_worker() as running:
        yield running


@pytest.fixture
def server(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningTasksServer]:
    with running_tasks_server(worker.url) as running:
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", running.address)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
        monkeypatch.delenv("CLOUD_TASKS_LOCATION", raising=False)
        monkeypatch.delenv("GAE_SERVICE", raising=False)
        yield running


@pytest.fixture
def client(server: RunningTasksServer) -> Iterator[tasks_v2.CloudTasksClient]:
    transport = CloudTasksGrpcTransport(channel=grpc.insecure_channel(server.address))
    with tasks_v2.CloudTasksClient(transport=transport) as connected:
        connected.pause_queue(name=QUEUE)
        yield connected


def only_task(client: tasks_v2.CloudTasksClient) -> tasks_v2.Task:
    (task,) = client.list_tasks(request={"parent": QUEUE, "response_view": 2})
    return task


def test_a_task_arrives_at_the_app(server: RunningTasksServer, worker: Worker) -> None:
    """add posts JSON to /tasks/NAME of this app, and TaskApp understands it."""
    added = TaskQueue().add("import-cards", {"board": "b1"})
    (request,) = worker.wait(1)
    assert (request.method, request.path) == ("POST", "/tasks/import-cards")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-AppEngine-QueueName"] == "default"
    assert added.name == f"{QUEUE}/tasks/{request.headers['X-AppEngine-TaskName']}"
    assert not added.duplicate
    body = {"version": 1, "task": "import-cards", "payload": {"board": "b1"}}
    assert json.loads(request.body) == body


def test_a_duplicate_is_visible_and_no_error(
    server: RunningTasksServer, client: tasks_v2.CloudTasksClient
) -> None:
    """The second task of a name is not added, and the answer says so."""
    queue = TaskQueue()
    first = queue.add("import", 1, name="board b1 / 2026")
    again = queue.add("import", 2, name="board b1 / 2026")
    other = queue.add("export", 3, name="board b1 / 2026")
    assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, False)
    assert again.name == first.name != other.name
    assert len(list(client.list_tasks(parent=QUEUE))) == 2


def test_a_task_that_is_done_is_still_a_duplicate(
    server: RunningTasksServer, worker: Worker
) -> None:
    """A name stays taken after the task ran: the work is not done twice."""
    queue = TaskQueue()
    queue.add("import", 1, name="once")
    server.wait_for("attempt", state="succeeded")
    assert queue.add("import", 1, name="once").duplicate
    assert len(worker.wait(1)) == 1


def test_a_delay_becomes_a_schedule_time(
    server: RunningTasksServer, client: tasks_v2.CloudTasksClient
) -> None:
    """delay_seconds counts from now, to the microsecond."""
    now = time.time()
    TaskQueue(clock=lambda: now).add("import", delay_seconds=86_400.25)
    scheduled = only_task(client).schedule_time.timestamp()
    assert scheduled == pytest.approx(now + 86_400.25, abs=2e-6)


@pytest.mark.parametrize("delay", [-1, 2_592_001, float("nan")])
def test_a_delay_out_of_range_is_refused(delay: float) -> None:
    """Cloud Tasks plans 30 days ahead at most; nothing is sent."""
    with pytest.raises(InvalidTask, match="must be 0 to 2592000"):
        TaskQueue(project="demo").add("import", delay_seconds=delay)


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({}, {}, ("", "")),
        ({}, {"GAE_SERVICE": "worker", "GAE_VERSION": "v7"}, ("worker", "")),
        ({"service": "other"}, {"GAE_SERVICE": "worker"}, ("other", "")),
        ({"version": "v7"}, {"GAE_SERVICE": "worker"}, ("worker", "v7")),
    ],
)
def test_tasks_return_to_the_service_that_added_them(
    server: RunningTasksServer,
    client: tasks_v2.CloudTasksClient,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    environ: dict[str, str],
    expected: tuple[str, str],
) -> None:
    """The service is GAE_SERVICE; the version is the serving one unless it is pinned."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    TaskQueue(**options).add("import")
    routing = only_task(client).app_engine_http_request.app_engine_routing
    assert (routing.service, routing.version) == expected


def test_the_path_can_be_another(
    server: RunningTasksServer, client: tasks_v2.CloudTasksClient
) -> None:
    """An app that has a /tasks of its own mounts TaskApp elsewhere."""
    TaskQueue(path="/_background/").add("import")
    assert only_task(client).app_engine_http_request.relative_uri == "/_background/import"


def test_a_task_over_the_limit_is_never_sent(
    server: RunningTasksServer, client: tasks_v2.CloudTasksClient
) -> None:
    """The error names size and limit and says what to do; the largest task passes."""
    queue = TaskQueue()
    with pytest.raises(TaskTooLarge, match=r"takes 102400: store the data in an entity") as error:
        queue.add("import", "x" * TASK_BYTES)
    assert error.value.size > error.value.limit == TASK_BYTES
    too_much = error.value.size - TASK_BYTES
    queue.add("import", "x" * (TASK_BYTES - too_much))
    with pytest.raises(TaskTooLarge):
        queue.add("import", "x" * (TASK_BYTES - too_much + 1))
    assert only_task(client).name


@pytest.mark.parametrize(("task", "payload"), [("a/b", 1), ("", 1), ("import", object())])
def test_a_malformed_task_is_never_sent(task: str, payload: Any) -> None:
    """Names and payloads are checked before a connection is made."""
    with pytest.raises(InvalidTask):
        TaskQueue(project="demo", location="nowhere").add(task, payload)


@pytest.mark.parametrize("options", [{"queue": "a/b"}, {"queue": ""}, {"path": "tasks"}])
def test_a_malformed_queue_is_refused_when_it_is_made(options: dict[str, str]) -> None:
    """A mistake in the queue's own name shows when the app is loaded."""
    with pytest.raises(InvalidTask):
        TaskQueue(**options)


def test_an_unknown_queue_says_what_to_do(server: RunningTasksServer) -> None:
    """The commonest mistake names the queue and the file to declare it in."""
    with pytest.raises(
        UnknownQueue, match=r"queues/imports is no queue: declare it in queue\.yaml"
    ):
        TaskQueue("imports").add("import")


def test_another_refusal_keeps_its_code(server: RunningTasksServer) -> None:
    """What Cloud Tasks says is passed on with gRPC's code, and the cause is kept."""
    with pytest.raises(TaskError, match="INVALID_ARGUMENT") as error:
        TaskQueue(project="a project with spaces").add("import")
    assert error.value.code == "INVALID_ARGUMENT"
    assert not error.value.retryable
    assert error.value.__cause__ is not None


def test_nobody_listening_is_a_connection_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local Cloud Tasks that is not running is told at once and as our own error."""
    monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        TaskQueue(project="demo").add("import")


def test_a_silent_server_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """add never waits longer than its timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", address)
        with pytest.raises((TransportTimeout, ConnectionFailed)):
            TaskQueue(project="demo", timeout=0.3).add("import")


def test_missing_credentials_are_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forgot both credentials and the local Cloud Tasks hears it in our words."""
    monkeypatch.delenv("CLOUD_TASKS_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")
    with pytest.raises(ConfigurationError, match="no credentials for Cloud Tasks"):
        TaskQueue(project="demo", location="us-central1").add("import")


def test_a_client_of_your_own_is_used(server: RunningTasksServer, worker: Worker) -> None:
    """Whoever has a client passes it, and nothing of the environment decides about it."""
    transport = CloudTasksGrpcTransport(channel=grpc.insecure_channel(server.address))
    client = tasks_v2.CloudTasksClient(transport=transport)
    queue = TaskQueue(project="p", location="us-east1", client=client)
    assert queue.add("import").name.startswith(
        "projects/p/locations/us-east1/queues/default/tasks/"
    )


def _add_in_child(queue: TaskQueue, names: Any) -> None:
    names.put(queue.add("import", "from the child").name)


def test_a_queue_that_was_used_before_a_fork_works_after_it(
    server: RunningTasksServer, worker: Worker
) -> None:
    """A server that preloads the app and forks gets a connection per process."""
    queue = TaskQueue()
    queue.add("import", "from the parent")
    context = multiprocessing.get_context("fork")
    names = context.SimpleQueue()
    child = context.Process(target=_add_in_child, args=(queue, names))
    child.start()
    child.join(10)
    assert child.exitcode == 0
    assert names.get().startswith(QUEUE)
    assert len(worker.wait(2)) == 2


def test_a_forked_process_has_a_client_of_its_own(server: RunningTasksServer) -> None:
    """A connection that two processes share would mix up their answers."""
    client = LazyClient()
    ours = client.get()
    context = multiprocessing.get_context("fork")
    shared = context.SimpleQueue()
    child = context.Process(target=lambda: shared.put(client.get() is ours))
    child.start()
    child.join(10)
    assert child.exitcode == 0
    assert shared.get() is False
    assert client.get() is ours


def test_a_queue_follows_the_local_cloud_tasks(
    server: RunningTasksServer, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of an imported module works in each test, though each has a server of its own."""
    queue = TaskQueue()
    queue.add("import", name="once")
    with running_tasks_server(worker.url) as another:
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", another.address)
        assert not queue.add("import", name="once").duplicate


def test_queue_and_app_understand_each_other(server: RunningTasksServer, worker: Worker) -> None:
    """The bytes that add sends are what TaskApp runs, with the headers that the platform adds."""
    from webtest import TestApp

    payloads: list[Any] = []
    app = TaskApp(environ={"GAE_ENV": "standard"})
    app.on("import-cards")(payloads.append)
    TaskQueue().add("import-cards", {"cards": [1, "zwei", None]})
    (request,) = worker.wait(1)
    TestApp(app).post(request.path, request.body, headers=request.headers)
    assert payloads == [{"cards": [1, "zwei", None]}]
