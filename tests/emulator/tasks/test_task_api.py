"""The RPCs on tasks, asked by an unmodified client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    GoogleAPICallError,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud import tasks_v2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gae_pusher.limits import TASK_BYTES
from gae_pusher.testing.tasks import RunningTasksServer

from .conftest import PARENT, QUEUE, app_task, connect
from .worker import Worker

FULL = tasks_v2.Task.View.FULL


@pytest.fixture
def client(server: RunningTasksServer) -> Iterator[tasks_v2.CloudTasksClient]:
    """A client whose default queue is paused, so that tasks stay to be looked at."""
    with connect(server.address) as connected:
        connected.pause_queue(name=QUEUE)
        yield connected


def test_a_created_task_is_told_back(client: tasks_v2.CloudTasksClient, worker: Worker) -> None:
    """The answer has name, times and target; the body only in the full view."""
    request = {"parent": QUEUE, "task": app_task("/x", b"body"), "response_view": FULL}
    created = client.create_task(request=request)
    assert created.name.startswith(f"{QUEUE}/tasks/")
    assert created.view == FULL
    assert created.app_engine_http_request.body == b"body"
    assert created.app_engine_http_request.http_method == tasks_v2.HttpMethod.POST
    host = created.app_engine_http_request.app_engine_routing.host
    assert host == worker.url.removeprefix("http://")
    assert created.create_time.microsecond == 0
    assert created.schedule_time - created.create_time < timedelta(seconds=2)
    basic = client.get_task(name=created.name)
    assert (basic.view, basic.app_engine_http_request.body) == (tasks_v2.Task.View.BASIC, b"")
    full = client.get_task(request={"name": created.name, "response_view": FULL})
    assert full == created


def test_a_task_keeps_what_it_was_given(client: tasks_v2.CloudTasksClient) -> None:
    """Name, schedule, deadline, headers, routing and retry config come back as they went in."""
    at = datetime.now(UTC) + timedelta(days=1)
    task = app_task(
        name=f"{QUEUE}/tasks/a_B-9",
        schedule_time=at,
        dispatch_deadline=timedelta(minutes=2),
        retry_config={"max_attempts": 7, "min_backoff": timedelta(seconds=3)},
    )
    task["app_engine_http_request"] |= {
        "headers": {"X-Own": "1"},
        "app_engine_routing": {"service": "worker", "version": "v1"},
    }
    client.create_task(parent=QUEUE, task=task)
    got = client.get_task(name=f"{QUEUE}/tasks/a_B-9")
    assert got.schedule_time == at
    assert got.dispatch_deadline == timedelta(minutes=2)
    assert dict(got.app_engine_http_request.headers) == {"X-Own": "1"}
    assert got.app_engine_http_request.app_engine_routing.service == "worker"
    assert got.app_engine_http_request.app_engine_routing.version == "v1"
    assert (got.retry_config.max_attempts, got.retry_config.min_backoff.seconds) == (7, 3)


def test_a_schedule_in_the_past_is_now(client: tasks_v2.CloudTasksClient) -> None:
    """Cloud Tasks sets it to the current time."""
    past = datetime.now(UTC) - timedelta(days=1)
    created = client.create_task(parent=QUEUE, task=app_task(schedule_time=past))
    assert created.schedule_time >= created.create_time


def test_a_name_can_be_used_once(client: tasks_v2.CloudTasksClient) -> None:
    """A second task of the name is ALREADY_EXISTS, also after the first was deleted."""
    name = f"{QUEUE}/tasks/once"
    client.create_task(parent=QUEUE, task=app_task(name=name))
    with pytest.raises(AlreadyExists):
        client.create_task(parent=QUEUE, task=app_task(name=name))
    client.delete_task(name=name)
    with pytest.raises(AlreadyExists, match="free again in 24"):
        client.create_task(parent=QUEUE, task=app_task(name=name))


def test_a_task_of_100_kb_is_taken_and_a_larger_one_is_not(
    client: tasks_v2.CloudTasksClient,
) -> None:
    """The whole task counts, not its body alone."""
    message = tasks_v2.Task(app_task(body=b"x" * 102_000))
    room = TASK_BYTES - tasks_v2.Task.pb(message).ByteSize()
    client.create_task(parent=QUEUE, task=app_task(body=b"x" * (102_000 + room)))
    with pytest.raises(InvalidArgument, match=f"{TASK_BYTES + 1} bytes, the limit is {TASK_BYTES}"):
        client.create_task(parent=QUEUE, task=app_task(body=b"x" * (102_000 + room + 1)))


def _http(url: str, **fields: Any) -> dict[str, Any]:
    return {"http_request": {"url": url} | fields}


def _with(**request: Any) -> dict[str, Any]:
    task = app_task(body=b"")
    task["app_engine_http_request"] |= request
    return task


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({}, "neither app_engine_http_request nor http_request"),
        (_with(relative_uri="tasks"), "must begin with /"),
        (_with(relative_uri="/a b"), "no spaces"),
        (_with(relative_uri="/" + "x" * 2_083), "2083"),
        (_with(http_method="GET", body=b"x"), "a GET task has no body, only POST, PUT"),
        (_with(http_method="PATCH", body=b"x"), "a PATCH task has no body"),
        (_with(http_method=99), "http_method is 99"),
        (_http("ftp://localhost/"), "must begin with http"),
        (_http("http://localhost/a b"), "have no spaces"),
        (_http("http://localhost/\r\nX-Own: 1"), "have no spaces"),
        (_http("http://[::1"), "is no URL"),
        (_http("http://localhost/", http_method="GET", body=b"x"), "only PATCH, POST, PUT"),
        (app_task(dispatch_deadline=timedelta(seconds=14)), "must be 15 to 86415 s"),
        (app_task(dispatch_deadline=timedelta(seconds=86_416)), "must be 15 to 86415 s"),
        (
            _http("http://localhost/") | {"dispatch_deadline": timedelta(seconds=1_801)},
            "must be 15 to 1800 s",
        ),
        (app_task(dispatch_deadline=Duration(seconds=10**15)), "must be 15 to 86415 s"),
        (app_task(schedule_time=Timestamp(seconds=10**15)), "the limit is 30 days"),
        (app_task(name="my-task"), "must have the form projects/"),
        (app_task(name="x" * 100_000), "must have the form projects/"),
        (app_task(name=f"{QUEUE}/tasks/a.b"), "must have the form"),
        (app_task(name=f"{QUEUE}/tasks/{'x' * 501}"), "must have the form"),
        (app_task(name=f"{PARENT}/queues/other/tasks/x"), "does not belong to"),
        (app_task(schedule_time=datetime.now(UTC) + timedelta(days=31)), "the limit is 30 days"),
    ],
)
def test_a_malformed_task_is_an_invalid_argument(
    client: tasks_v2.CloudTasksClient, task: dict[str, Any], words: str
) -> None:
    """Each documented limit has its own words."""
    with pytest.raises(InvalidArgument, match=words):
        client.create_task(parent=QUEUE, task=task)


@pytest.mark.parametrize(
    "url", ["https://example.com/", "http://10.0.0.1/", "http://127.evil.example/"]
)
def test_an_http_task_to_elsewhere_is_refused(client: tasks_v2.CloudTasksClient, url: str) -> None:
    """An emulator that runs by mistake with real data calls nobody outside."""
    with pytest.raises(FailedPrecondition, match="to this machine only"):
        client.create_task(parent=QUEUE, task=_http(url))


def test_a_missing_queue_is_told_with_those_that_exist(client: tasks_v2.CloudTasksClient) -> None:
    """CreateTask says FAILED_PRECONDITION as production does, the others NOT_FOUND."""
    missing = f"{PARENT}/queues/missing"
    with pytest.raises(FailedPrecondition, match=r"Queue does not exist.*are: default"):
        client.create_task(parent=missing, task=app_task())
    with pytest.raises(NotFound, match="Queue does not exist"):
        list(client.list_tasks(parent=missing))
    with pytest.raises(NotFound):
        client.get_task(name=f"{missing}/tasks/x")


def test_lists_come_in_pages(client: tasks_v2.CloudTasksClient) -> None:
    """The client's pager finds every task once, also when some are deleted in between."""
    names = sorted(f"{QUEUE}/tasks/t{number}" for number in range(7))
    for name in names:
        client.create_task(parent=QUEUE, task=app_task(name=name))
    pages = client.list_tasks(request={"parent": QUEUE, "page_size": 3}).pages
    sizes = [len(page.tasks) for page in pages]
    assert sizes == [3, 3, 1]
    pager = client.list_tasks(request={"parent": QUEUE, "page_size": 3})
    found = []
    for page in pager.pages:
        found += [task.name for task in page.tasks]
        if len(found) == 3:
            client.delete_task(name=names[2])
            client.delete_task(name=names[3])
    assert found == [*names[:3], *names[4:]]


def test_a_page_token_belongs_to_its_list(client: tasks_v2.CloudTasksClient) -> None:
    """Tokens that were made up or given for another queue are refused."""
    for _ in range(2):
        client.create_task(parent=QUEUE, task=app_task())
    token = next(client.list_tasks(request={"parent": QUEUE, "page_size": 1}).pages).next_page_token
    client.create_queue(parent=PARENT, queue={"name": f"{PARENT}/queues/other"})
    for parent, bad in [
        (f"{PARENT}/queues/other", token),
        (QUEUE, "made-up"),
        (QUEUE, "WzFd"),
        (QUEUE, "NQ=="),
    ]:
        with pytest.raises(InvalidArgument, match="page_token"):
            list(client.list_tasks(request={"parent": parent, "page_token": bad}))
    with pytest.raises(InvalidArgument, match="page_size"):
        list(client.list_tasks(request={"parent": QUEUE, "page_size": -1}))


def test_a_deleted_task_is_gone(client: tasks_v2.CloudTasksClient, worker: Worker) -> None:
    """It is not found, not deleted twice, and never sent."""
    created = client.create_task(parent=QUEUE, task=app_task("/deleted"))
    client.delete_task(name=created.name)
    for call in (client.get_task, client.delete_task, client.run_task):
        with pytest.raises(NotFound, match="existed recently"):
            call(name=created.name)
    client.create_task(parent=QUEUE, task=app_task("/kept"))
    client.resume_queue(name=QUEUE)
    assert [request.path for request in worker.wait(1)] == ["/kept"]


def test_run_task_runs_it_now(
    client: tasks_v2.CloudTasksClient, worker: Worker, server: RunningTasksServer
) -> None:
    """Paused or not, and long before its time."""
    at = datetime.now(UTC) + timedelta(days=1)
    created = client.create_task(parent=QUEUE, task=app_task(schedule_time=at))
    assert client.run_task(name=created.name).dispatch_count == 1
    worker.wait(1)
    server.wait_for("attempt", state="succeeded")
    with pytest.raises(NotFound):
        client.run_task(name=created.name)


def test_a_batch_creates_what_it_can(client: tasks_v2.CloudTasksClient) -> None:
    """The operation is done at once; failures are told by their index."""
    taken = f"{QUEUE}/tasks/taken"
    client.create_task(parent=QUEUE, task=app_task(name=taken))
    requests = [{"parent": QUEUE, "task": t} for t in (app_task(), app_task(name=taken), {})]
    operation = client.batch_create_tasks(request={"parent": QUEUE, "requests": requests})
    assert len(operation.result(timeout=5).tasks) == 1
    codes = {index: status.code for index, status in operation.metadata.failed_requests.items()}
    assert codes == {1: 6, 2: 3}
    states = tasks_v2.BatchCreateTasksMetadata.State
    assert operation.metadata.state == states.PARTIALLY_SUCCEEDED


def test_a_batch_that_is_sent_again_is_not_done_again(client: tasks_v2.CloudTasksClient) -> None:
    """request_id names a batch."""
    request = {"parent": QUEUE, "requests": [{"parent": QUEUE, "task": app_task()}]}
    first = client.batch_create_tasks(request=request | {"request_id": "once"}).result(timeout=5)
    again = client.batch_create_tasks(request=request | {"request_id": "once"}).result(timeout=5)
    assert first == again
    assert len(list(client.list_tasks(parent=QUEUE))) == 1


def test_a_batch_of_which_nothing_succeeds_fails(client: tasks_v2.CloudTasksClient) -> None:
    """The operation's error is ABORTED; its metadata has each reason."""
    requests = [{"parent": QUEUE, "task": {}}]
    operation = client.batch_create_tasks(request={"parent": QUEUE, "requests": requests})
    with pytest.raises(Aborted, match="None of the requests succeeded"):
        operation.result(timeout=5)
    assert operation.metadata.failed_requests[0].code == 3


@pytest.mark.parametrize(
    "requests", [[], [{"parent": QUEUE}] * 101, [{"parent": f"{PARENT}/queues/other"}]]
)
def test_a_batch_has_1_to_100_tasks_of_one_queue(
    client: tasks_v2.CloudTasksClient, requests: list[dict[str, str]]
) -> None:
    """The whole batch is refused otherwise."""
    with pytest.raises(InvalidArgument):
        client.batch_create_tasks(request={"parent": QUEUE, "requests": requests})


def test_a_batch_deletes_what_it_can(client: tasks_v2.CloudTasksClient) -> None:
    """Missing tasks are told by their index, the others are gone."""
    created = client.create_task(parent=QUEUE, task=app_task())
    names = [created.name, f"{QUEUE}/tasks/missing"]
    operation = client.batch_delete_tasks(request={"parent": QUEUE, "names": names})
    operation.result(timeout=5)
    assert operation.metadata.failed_requests[1].code == 5
    assert list(client.list_tasks(parent=QUEUE)) == []


def test_what_is_not_there_says_so(client: tasks_v2.CloudTasksClient) -> None:
    """IAM and the like are UNIMPLEMENTED, not a wrong answer."""
    with pytest.raises(MethodNotImplemented):
        client.get_iam_policy(request={"resource": QUEUE})


def test_errors_never_break_the_server(client: tasks_v2.CloudTasksClient) -> None:
    """After any refusal the next call is answered."""
    for parent in ("", "projects/p", "projects/a/locations/b/queues/ü"):
        with pytest.raises(GoogleAPICallError):
            client.create_task(parent=parent, task=app_task())
    assert client.create_task(parent=QUEUE, task=app_task()).name
