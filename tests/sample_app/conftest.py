"""The sample app in this process, against a real Channels server and Google's Datastore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import webtest

from gae_pusher.testing.channels import RunningServer, running_server
from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server
from tests.google_datastore import running_google_datastore

NOWHERE = "http://127.0.0.1:9"  # nothing listens there: the tests post the tasks themselves


@pytest.fixture(scope="session")
def channels() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def task_queue() -> Iterator[RunningTasksServer]:
    with running_tasks_server(NOWHERE) as server:
        yield server


@pytest.fixture(scope="session")
def sample_app(
    channels: RunningServer,
    task_queue: RunningTasksServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """The Flask app. Its modules read the environment when they are imported."""
    folder = tmp_path_factory.mktemp("datastore")
    with running_google_datastore(folder) as environ, pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setenv("PUSHER_URL", channels.pusher_url)
        patch.setenv("CLOUD_TASKS_EMULATOR_HOST", task_queue.address)
        patch.setenv("GAE_PUSHER_FRONT", "1")
        from sample_app import imports, main

        patch.setattr(imports, "SECONDS_PER_CARD", 0)
        yield main.app


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
def new_window(sample_app: Any) -> Any:
    return lambda: Window(sample_app, extra_environ={"HTTP_ACCEPT": "application/json"})


@pytest.fixture
def window(new_window: Any, channels: RunningServer) -> Iterator[Window]:
    """Ada's window, past the choice of a name."""
    channels.clear_log()
    yield new_window().enter()
    channels.fail_requests(0, None)
