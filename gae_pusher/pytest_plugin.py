"""Fixtures for the tests of applications; pytest finds them when gae-pusher is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gae_pusher.testing.channels import RunningServer

__all__ = ["channels_server"]


@pytest.fixture
def channels_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A local Channels server for one test, with PUSHER_URL pointing at it and nothing else set.

    `channels_server.wait_for_event(channel, event)` waits for what your code triggers.
    """
    from gae_pusher.environment import VARIABLES
    from gae_pusher.testing.channels import running_server

    # A PUSHER_CLUSTER of the shell would lead a test to the real service.
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with running_server() as server:
        monkeypatch.setenv("PUSHER_URL", server.pusher_url)
        yield server
