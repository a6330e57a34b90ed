"""Whether a host is this machine."""

from __future__ import annotations

import pytest

from gae_pusher.emulator.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine(host: str) -> None:
    """The name localhost and all loopback addresses."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.7", "localhost.evil.example", "127.0.0.1.evil", "2130706433"],
)
def test_other_machines(host: str) -> None:
    """Every other address and name, all addresses at once, and spellings that resolvers accept."""
    assert not is_loopback(host)
