"""OutboxApp: only App Engine's own requests have the outbox's work done."""

from __future__ import annotations

import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from google.cloud import ndb

from gae_pusher import Outbox, OutboxApp, Pusher, TaskQueue
from gae_pusher.sansio.tasks import encode_body
from gae_pusher.testing.tasks import running_tasks_server
from tests.outbox.conftest import World
from tests.wsgi.support import client

PRODUCTION = {"GAE_ENV": "standard"}
CRON = {"X-Appengine-Cron": "true"}
TASK = {"X-AppEngine-QueueName": "outbox", "Content-Type": "application/json"}


def app(world: World, pusher: Pusher, environ: dict[str, str] = PRODUCTION) -> Any:
    return client(OutboxApp(pusher, client=world.client, environ=environ))


def wait_for_service(world: World, pusher: Pusher) -> str:
    """An event that could not be sent; gives the id of its entry."""
    world.channels.answers.append((503, b""))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    (entry,) = world.entries()
    return str(entry.key.id())


def test_cron_sweeps(world: World) -> None:
    """GET with cron's header delivers what is due, and says what it did."""
    pusher = world.pusher()
    wait_for_service(world, pusher)
    assert app(world, pusher).get("/outbox", headers=CRON).text == "nothing was sent\n"
    world.now += 61
    assert app(world, pusher).get("/outbox", headers=CRON).text == "1 delivered\n"
    assert world.entries() == []


def test_a_task_delivers_its_entry(world: World) -> None:
    """POST with the queue's header makes one attempt; 200 whatever became of it."""
    pusher = world.pusher()
    entry = wait_for_service(world, pusher)
    body = encode_body("deliver", {"entry": entry})
    world.channels.answers.append((500, b""))
    answers = [app(world, pusher).post("/outbox/deliver", body, headers=TASK) for _ in range(3)]
    assert [answer.text for answer in answers] == ["later\n", "delivered\n", "not ours\n"]


@pytest.mark.parametrize("environ", [{}, {"GAE_ENV": "localdev"}])
def test_headers_prove_nothing_where_nobody_strips_them(
    world: World, environ: dict[str, str]
) -> None:
    """Outside of App Engine anybody can write the headers, so they open nothing."""
    pusher = world.pusher()
    entry = wait_for_service(world, pusher)
    body = encode_body("deliver", {"entry": entry})
    outside = app(world, pusher, environ)
    outside.get("/outbox", headers=CRON, status=403)
    outside.post("/outbox/deliver", body, headers=TASK, status=403)
    assert len(world.entries()) == 1


def test_the_headers_are_needed(world: World) -> None:
    """On App Engine a request without the headers comes from outside; and they are not each
    other's.
    """
    pusher = world.pusher()
    inside = app(world, pusher)
    inside.get("/outbox", status=403)
    inside.get("/outbox", headers={"X-AppEngine-QueueName": "outbox"}, status=403)
    inside.post("/outbox/deliver", b"{}", headers=CRON, status=403)
    inside.put("/outbox", b"", headers=CRON, status=405)


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        encode_body("import-cards", {"entry": "x"}),
        encode_body("deliver", {"board": "b1"}),
        encode_body("deliver", ["x"]),
    ],
)
def test_other_tasks_are_refused(world: World, body: bytes) -> None:
    """A task that is none of the outbox's is a 400, and a line in the log."""
    app(world, world.pusher()).post("/outbox/deliver", body, headers=TASK, status=400)


def test_a_missing_context_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Without an NDB context and without a client the log says what to do."""
    endpoint = client(OutboxApp(world.pusher(), environ=PRODUCTION))
    endpoint.get("/outbox", headers=CRON, status=500)
    assert "pass client=" in caplog.text


def test_the_whole_road_over_cloud_tasks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is down at the commit; the named task of the local Cloud Tasks brings it."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    world.channels.answers += [(503, b""), (503, b"")]
    queue = TaskQueue(path="/outbox", project="demo", location="us-central1")
    outbox = Outbox(queue)
    monkeypatch.setattr(outbox.policy.__class__, "backoff", lambda *_: 0.1)
    pusher = world.pusher(outbox=outbox)
    endpoint = OutboxApp(pusher, client=world.client, environ={"GAE_PUSHER_FRONT": "1"})
    with make_server("127.0.0.1", 0, endpoint, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            with running_tasks_server(f"http://127.0.0.1:{server.server_port}") as tasks:
                monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", tasks.address)
                with world.client.context():
                    ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
                tasks.wait_for("attempt", state="succeeded", count=2)
        finally:
            server.shutdown()
            thread.join()
    assert world.sent() == [("board", "moved", "1")] * 3
    assert world.entries() == []
