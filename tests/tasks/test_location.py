"""Where an app's queues are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from gae_pusher import ConfigurationError
from gae_pusher.emulator.ports import free_port
from gae_pusher.tasks.location import emulator_host, find_location, find_project


class Metadata(HTTPServer):
    """A metadata server with one answer."""

    answer = "projects/12345/regions/europe-west3"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Metadata

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Metadata-Flavor"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.answer.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    server = Metadata()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def on_app_engine(server: Metadata) -> dict[str, str]:
    return {"GAE_ENV": "standard", "GCE_METADATA_HOST": f"127.0.0.1:{server.server_port}"}


def test_the_project_is_what_app_engine_says() -> None:
    """GOOGLE_CLOUD_PROJECT is set on App Engine; without it the error says what to do."""
    assert find_project({"GOOGLE_CLOUD_PROJECT": "demo"}) == "demo"
    with pytest.raises(ConfigurationError, match="set GOOGLE_CLOUD_PROJECT"):
        find_project({"GOOGLE_CLOUD_PROJECT": ""})


def test_the_local_cloud_tasks_needs_no_project() -> None:
    """Its variable alone is enough; a project that is named goes before."""
    environ = {"CLOUD_TASKS_EMULATOR_HOST": "127.0.0.1:8123"}
    assert find_project(environ) == "local"
    assert find_project({**environ, "GOOGLE_CLOUD_PROJECT": "demo"}) == "demo"


def test_the_region_of_the_instance_is_asked_once(metadata: Metadata) -> None:
    """On App Engine the metadata server names the region, and the answer is kept."""
    environ = on_app_engine(metadata)
    assert find_location(environ) == find_location(environ) == "europe-west3"
    assert metadata.asked == [("/computeMetadata/v1/instance/region", "Google")]


@pytest.mark.parametrize(
    ("former", "region"), [("us-central", "us-central1"), ("europe-west", "europe-west1")]
)
def test_the_oldest_regions_have_their_names_in_cloud_tasks(
    metadata: Metadata, former: str, region: str
) -> None:
    """App Engine's own names of its first two regions are translated."""
    metadata.answer = f"projects/1/regions/{former}"
    assert find_location(on_app_engine(metadata)) == region


@pytest.mark.parametrize("answer", ["", "<html>login first</html>", "projects/1/regions/"])
def test_an_answer_that_is_no_region_is_refused(metadata: Metadata, answer: str) -> None:
    """Nothing that is no region gets into a queue's name."""
    metadata.answer = answer
    with pytest.raises(ConfigurationError, match="set CLOUD_TASKS_LOCATION"):
        find_location(on_app_engine(metadata))


def test_an_unreachable_metadata_server_is_asked_again(metadata: Metadata) -> None:
    """A failure is told, and not remembered."""
    port = free_port()
    environ = {"GAE_ENV": "standard", "GCE_METADATA_HOST": f"127.0.0.1:{port}"}
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="did not name the region"):
            find_location(environ)


def test_the_variable_goes_first(metadata: Metadata) -> None:
    """CLOUD_TASKS_LOCATION decides without asking anybody."""
    environ = on_app_engine(metadata) | {"CLOUD_TASKS_LOCATION": "asia-east1"}
    assert find_location(environ) == "asia-east1"
    assert metadata.asked == []


def test_the_local_cloud_tasks_takes_any_region() -> None:
    """On a laptop nothing has to be configured."""
    environ = {"CLOUD_TASKS_EMULATOR_HOST": "127.0.0.1:8123"}
    assert find_location(environ) == "us-central1"
    assert emulator_host(environ) == "127.0.0.1:8123"
    assert emulator_host({"CLOUD_TASKS_EMULATOR_HOST": ""}) is None


def test_without_anything_the_error_says_what_to_do() -> None:
    """No region is guessed in production: a task in the wrong one would be lost."""
    with pytest.raises(ConfigurationError, match="pass location= to TaskQueue"):
        find_location({})
