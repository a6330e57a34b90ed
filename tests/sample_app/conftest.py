"""The sample app in this process, against a real Channels server and a real Datastore."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import flask
import pytest
import webtest
from werkzeug.serving import make_server

from gae_pusher.channels.base import Sender
from gae_pusher.emulator.channels import Fault
from gae_pusher.testing.channels import RunningServer, running_server
from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server
from tests.google_datastore import running_chosen_datastore


@pytest.fixture(scope="session")
def channels() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def sample_app(
    channels: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[flask.Flask]:
    """The Flask app. Its modules read the environment when they are imported."""
    folder = tmp_path_factory.mktemp("datastore")
    with running_chosen_datastore(folder) as environ, pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setenv("PUSHER_URL", channels.pusher_url)
        patch.setenv("GAE_PUSHER_FRONT", "1")
        # The service is down in some tests; its breaker would stay open in those after them.
        patch.setitem(Sender.__init__.__kwdefaults__, "breaker_failures", 0)
        from sample_app import imports, main

        patch.setattr(imports, "SECONDS_PER_CARD", 0)
        yield main.app


@pytest.fixture
def task_queue(
    sample_app: flask.Flask, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningTasksServer]:
    """A local Cloud Tasks that sends the app its tasks, over HTTP."""
    http = make_server("127.0.0.1", 0, sample_app, threaded=True)
    thread = threading.Thread(target=http.serve_forever, name="sample-app", daemon=True)
    thread.start()
    with running_tasks_server(f"http://127.0.0.1:{http.server_port}") as server:
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", server.address)
        yield server
    http.shutdown()
    http.server_close()
    thread.join()


class Window(webtest.TestApp):
    """A browser of one visitor, with a cookie of its own."""

    def enter(self, name: str = "Ada", colour: str = "teal") -> Window:
        self.post("/visitor", {"name": name, "colour": colour}, status=303)
        return self

    def create_board(self, title: str = "Launch") -> str:
        """Make a board and give its path."""
        answer = self.post("/boards", {"title": title}, status=303)
        return answer.location.removeprefix("http://localhost")


@pytest.fixture
def new_window(sample_app: flask.Flask) -> Callable[[], Window]:
    return lambda: Window(sample_app, extra_environ={"HTTP_ACCEPT": "application/json"})


@pytest.fixture
def window(new_window: Callable[[], Window], channels: RunningServer) -> Iterator[Window]:
    """Ada's window, past the choice of a name."""
    channels.clear_log()
    yield new_window().enter()
    channels.fail_requests(0, Fault())
