"""The fixtures for the tests of applications."""

from __future__ import annotations

import pytest

from gae_pusher import Pusher
from gae_pusher.environment import VARIABLES


def test_the_local_server_is_all_that_the_environment_names(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the developer's shell has set, a test with channels_server stays on this machine."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "https" if name == "PUSHER_SCHEME" else "1")
    server = request.getfixturevalue("channels_server")
    pusher = Pusher.from_env()
    assert pusher.config.base_url == server.http_url.rstrip("/")
    pusher.trigger("a_channel", "an_event", {})
    server.wait_for_event("a_channel", "an_event")
