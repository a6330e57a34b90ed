"""The Channels server for synchronous tests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
import requests

from gae_pusher import Pusher
from gae_pusher.emulator.channels import Fault
from gae_pusher.errors import ServerError
from gae_pusher.testing.channels import running_server


def test_trigger_is_seen() -> None:
    """What the library triggers can be waited for."""
    with running_server() as server:
        Pusher.from_url(server.pusher_url).trigger("my-channel", "my-event", {"n": 1})
        entry = server.wait_for_event("my-channel", "my-event")
        assert json.loads(entry.facts["data"]) == {"n": 1}


def test_a_missing_library_says_what_to_install() -> None:
    """With the base dependencies alone the servers for tests name the extra that brings them."""
    code = (
        "import sys; sys.modules['aiohttp'] = None\nfrom gae_pusher.testing import running_server"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.endswith(
        "gae_pusher.testing.running_server needs aiohttp: pip install 'gae-pusher[emulators]'\n"
    )


def test_errors_can_be_ordered() -> None:
    """A test of what happens when the service is in trouble needs one line."""
    with running_server() as server:
        server.fail_requests(1, Fault(503))
        pusher = Pusher.from_url(server.pusher_url, retry_seconds=0)
        with pytest.raises(ServerError):
            pusher.trigger("my-channel", "my-event", {})


def test_nothing_is_left_running() -> None:
    """After the block the port is closed and the thread has ended, also after an error."""
    before = threading.active_count()
    urls = []

    def fail() -> None:
        with running_server() as server:
            urls.append(server.http_url)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(urls[0], timeout=5)


def test_taken_port_is_an_error() -> None:
    """A port that is in use raises OSError, and no thread stays behind."""
    with running_server() as server:
        before = set(threading.enumerate())
        with pytest.raises(OSError), running_server(port=server.port):  # noqa: PT011
            pass
        assert set(threading.enumerate()) <= before


def test_log_can_be_cleared() -> None:
    """A later part of a test waits for what is new."""
    with running_server() as server:
        requests.get(f"{server.http_url}/apps/4242/channels", timeout=5)
        assert server.log("request", status=401)
        server.clear_log()
        assert server.log() == []
