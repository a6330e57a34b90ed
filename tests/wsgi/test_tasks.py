"""TaskApp: only App Engine's own requests reach a handler, and the answer decides about a retry."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb

from gae_pusher import ConfigurationError, InvalidTask, TaskApp, TaskDropped, TaskInfo
from gae_pusher.limits import TASK_BYTES
from gae_pusher.sansio.tasks import encode_body
from tests.wsgi.support import Input, call, client

PRODUCTION = {"GAE_ENV": "standard"}
HEADERS = {"X-AppEngine-QueueName": "default", "X-AppEngine-TaskName": "abc-import"}


@pytest.fixture
def tasks() -> TaskApp:
    return TaskApp(environ=PRODUCTION)


@pytest.fixture
def heard(tasks: TaskApp) -> list[Any]:
    """Every payload that gets through to the task `import`."""
    payloads: list[Any] = []
    tasks.on("import")(lambda payload: payloads.append(payload))
    return payloads


def post(app: TaskApp, body: bytes | None = None, status: int = 200, **headers: str) -> Any:
    body = encode_body("import", {"board": "b1"}) if body is None else body
    return client(app).post(
        "/tasks/import",
        body,
        headers={"Content-Type": "application/json"} | HEADERS | headers,
        status=status,
    )


def test_a_payload_reaches_its_handler(tasks: TaskApp, heard: list[Any]) -> None:
    """The handler gets what add was given, and 200 ends the task."""
    post(tasks)
    assert heard == [{"board": "b1"}]


def test_a_handler_may_ask_what_cloud_tasks_knows(tasks: TaskApp) -> None:
    """A second parameter gets queue, name, counts and due time."""
    seen: list[TaskInfo] = []

    @tasks.on("import")
    def handle(payload: Any, info: TaskInfo) -> None:
        seen.append(info)

    headers = {
        "X-AppEngine-TaskRetryCount": "3",
        "X-AppEngine-TaskExecutionCount": "2",
        "X-AppEngine-TaskETA": "1795387340.781944",
    }
    post(tasks, **headers)
    assert seen == [TaskInfo("default", "abc-import", 3, 2, 1795387340.781944)]


def test_malformed_facts_do_not_stop_a_task(tasks: TaskApp) -> None:
    """Counts and times that are no numbers are as if they were absent."""
    seen: list[TaskInfo] = []
    tasks.on("import")(lambda payload, info: seen.append(info))
    post(tasks, **{"X-AppEngine-TaskRetryCount": "many", "X-AppEngine-TaskETA": "soon"})
    assert seen == [TaskInfo("default", "abc-import")]


@pytest.mark.parametrize("environ", [{"GAE_ENV": "standard"}, {"GAE_PUSHER_FRONT": "1"}])
def test_it_serves_where_the_header_is_stripped_from_outside(environ: dict[str, str]) -> None:
    """App Engine and our own local front take App Engine's headers out of outside requests."""
    app = TaskApp(environ=environ)
    app.on("import")(lambda payload: None)
    post(app)


@pytest.mark.parametrize(
    "environ",
    [{}, {"GAE_ENV": "localdev"}, {"GAE_ENV": "flex"}, {"GAE_PUSHER_FRONT": "0"}],
)
def test_it_refuses_where_anybody_can_send_the_header(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Elsewhere the header proves nothing: 403, no handler, and a log line that says why."""
    called: list[Any] = []
    app = TaskApp(environ=environ)
    app.on("import")(called.append)
    post(app, status=403)
    assert called == []
    assert "nothing here strips X-AppEngine-QueueName" in caplog.text


def test_a_request_without_the_header_is_refused(
    tasks: TaskApp, heard: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An outside request, whose header App Engine removed, gets 403 and is logged."""
    client(tasks).post("/tasks/import", encode_body("import", 1), status=403)
    client(tasks).post(
        "/tasks/import", encode_body("import", 1), {"X-AppEngine-QueueName": ""}, status=403
    )
    assert heard == []
    assert "it has no X-AppEngine-QueueName" in caplog.text


def test_the_body_of_an_untrusted_request_is_not_read(tasks: TaskApp) -> None:
    """Nobody outside can make the app read megabytes."""
    body = Input(b"x" * 1_000)
    status, _, _ = call(tasks, REQUEST_METHOD="POST", CONTENT_LENGTH="1000", **{"wsgi.input": body})
    assert (status, body.asked) == (403, 0)


def test_a_failing_handler_is_retried_and_logged(
    tasks: TaskApp, caplog: pytest.LogCaptureFixture
) -> None:
    """500, not 503, which would slow the whole queue; the traceback is in the log."""

    @tasks.on("import")
    def handle(payload: Any) -> None:
        raise RuntimeError("no cards today")

    post(tasks, status=500)
    assert "abc-import (import) of default failed, retry 0" in caplog.text
    assert "no cards today" in caplog.text


def test_a_dropped_task_is_not_retried(tasks: TaskApp, caplog: pytest.LogCaptureFixture) -> None:
    """TaskDropped ends a task that can never succeed, and the reason is in the log."""

    @tasks.on("import")
    def handle(payload: Any) -> None:
        raise TaskDropped("the board is gone")

    assert post(tasks).text == "dropped\n"
    assert "is dropped: the board is gone" in caplog.text


def test_an_unknown_task_is_retried(tasks: TaskApp, caplog: pytest.LogCaptureFixture) -> None:
    """A task that another version handles waits for that version: 404 and a log line."""
    post(tasks, encode_body("export", 1), status=404)
    assert "nothing handles export here" in caplog.text


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"version":2,"task":"import","payload":1}'])
def test_a_body_of_another_release_is_retried(
    tasks: TaskApp, heard: list[Any], body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What this release cannot read is not lost: 400 keeps it in the queue."""
    post(tasks, body, status=400)
    assert heard == []
    assert "abc-import of default" in caplog.text


def test_an_oversize_body_is_refused_unread(tasks: TaskApp, heard: list[Any]) -> None:
    """No task is larger than Cloud Tasks takes."""
    post(tasks, b"x" * (TASK_BYTES + 1), status=413)
    assert heard == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_only_post_is_taken(tasks: TaskApp, method: str) -> None:
    """Tasks are posted; everything else is told so."""
    response = client(tasks).request("/tasks/import", method=method, headers=HEADERS, status=405)
    assert response.headers["Allow"] == "POST"


def test_a_tasklet_is_waited_for(tasks: TaskApp) -> None:
    """An NDB tasklet may be a handler: the answer comes when it is done, also when it failed."""
    done: list[Any] = []

    @tasks.on("import")
    @ndb.tasklet
    def handle(payload: Any) -> Any:
        yield ndb.sleep(0.001)
        done.append(payload)
        if payload == "bad":
            raise RuntimeError

    with ndb.Client(project="demo", credentials=AnonymousCredentials()).context():
        post(tasks)
        post(tasks, encode_body("import", "bad"), status=500)
    assert done == [{"board": "b1"}, "bad"]


def test_a_second_handler_is_refused(tasks: TaskApp) -> None:
    """A task runs once, so it has one handler."""
    tasks.on("import")(lambda payload: None)
    with pytest.raises(ConfigurationError, match="has a handler already"):
        tasks.on("import")(lambda payload: None)


def test_a_bad_registration_is_refused(tasks: TaskApp) -> None:
    """Mistakes show when the app is loaded, not when the first task comes."""
    with pytest.raises(InvalidTask):
        tasks.on("import/cards")

    async def handle(payload: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="async def"):
        tasks.on("import")(handle)


def test_the_handler_stays_callable(tasks: TaskApp) -> None:
    """The decorator returns the function, for tests and direct calls."""

    @tasks.on("import")
    def handle(payload: int) -> int:
        return payload + 1

    assert handle(1) == 2


def test_no_payload_is_logged(tasks: TaskApp, caplog: pytest.LogCaptureFixture) -> None:
    """Payloads stay out of the log, whatever happens to a task."""
    caplog.set_level(logging.DEBUG)
    post(tasks, encode_body("export", "top-secret"), status=404)
    post(tasks, b"top-secret", status=400)
    assert "top-secret" not in caplog.text
