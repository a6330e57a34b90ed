"""TaskApp(pusher) triggers the events of trigger_later, one attempt for each run of the task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gae_pusher import AsyncioChannel, Pusher, TaskApp
from gae_pusher.sansio.tasks import TRIGGER, encode_body
from tests.recording import Recorder, recording_server
from tests.wsgi.support import client

PRODUCTION = {"GAE_ENV": "standard"}
EVENT = {"channel": "a", "name": "due", "data": '{"card":"c1"}', "socket_id": "1.2"}


@pytest.fixture
def service() -> Iterator[Recorder]:
    with recording_server() as recorder:
        yield recorder


def run(pusher: Any, status: int = 200, app_id: str = "4242", **event: str) -> str:
    """Deliver the task of an event once, as Cloud Tasks does; gives the answer's text."""
    body = encode_body(TRIGGER, {"app_id": app_id, "event": EVENT | event})
    headers = {"X-AppEngine-QueueName": "default", "Content-Type": "application/json"}
    app = client(TaskApp(pusher, environ=PRODUCTION))
    return str(app.post(f"/tasks/{TRIGGER}", body, headers=headers, status=status).text)


def test_the_event_goes_out_as_it_was_encoded(service: Recorder) -> None:
    """The data is the very text that trigger_later made; the connection is left out."""
    assert run(Pusher(**service.app())) == "done\n"
    expected = {"name": "due", "channels": ["a"], "data": '{"card":"c1"}', "socket_id": "1.2"}
    assert service.take().json == expected


def test_the_pusher_may_be_made_late(service: Recorder) -> None:
    """A function that returns the Pusher is called when the first task comes."""
    assert run(lambda: Pusher(**service.app())) == "done\n"


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_the_queue_tries_again(service: Recorder, status: int) -> None:
    """Whatever may be better later is a 500, after one request: the queue counts the attempts."""
    service.answers += [(status, b"no")] * 3
    run(Pusher(**service.app(retry_seconds=5)), status=500)
    assert len(service.calls) == 1


@pytest.mark.parametrize("status", [400, 413])
def test_what_is_refused_for_good_is_dropped(
    service: Recorder, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The service will never take this event: the task ends and the log says which it was."""
    service.answers.append((status, b"no"))
    assert run(Pusher(**service.app())) == "dropped\n"
    assert "event 'due' on 'a'" in caplog.text


def test_rescue_hides_nothing_from_the_queue(service: Recorder) -> None:
    """rescue=True is for pages; a task that failed is not done."""
    service.answers.append((500, b"no"))
    run(Pusher(**service.app(rescue=True)), status=500)


def test_another_apps_event_is_not_triggered(
    service: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for a TaskApp that has the right Pusher."""
    run(Pusher(**service.app()), status=500, app_id="77")
    assert "an event for app '77'" in caplog.text
    assert service.calls == []


def test_a_task_app_without_a_pusher_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """The task waits, and the log says what is missing."""
    run(None, status=404)
    assert "give TaskApp the pusher" in caplog.text


def test_a_pusher_that_awaits_cannot_do_it(
    service: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """WSGI has no event loop: the log says which channel type will do."""
    run(Pusher(**service.app(channel_type=AsyncioChannel)), status=500)
    assert "channel_type" in caplog.text
