"""The Channels API's answers, read as a doctor reads them."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from gae_pusher import Pusher
from gae_pusher.deploy.doctor.channels import ask_clock, ask_credentials, judge_clock
from gae_pusher.testing.channels import RunningServer

NOW = 1_800_000_000.0


def test_right_credentials(channels_server: RunningServer) -> None:
    """A server that takes the key and the secret is named."""
    outcome = ask_credentials(Pusher.from_url(channels_server.pusher_url))
    assert outcome.ok is True
    assert "127.0.0.1" in outcome.detail


@pytest.mark.parametrize(
    ("part", "advice"),
    [("local-secret", "the secret is another one"), ("local-key", "PUSHER_CLUSTER")],
)
def test_wrong_credentials(channels_server: RunningServer, part: str, advice: str) -> None:
    """A wrong secret and an unknown key are told apart, and neither is printed."""
    outcome = ask_credentials(Pusher.from_url(channels_server.pusher_url.replace(part, "0f1e2d3c")))
    assert outcome.ok is False
    assert advice in outcome.do
    assert "local-secret" not in outcome.line()


def test_no_answer() -> None:
    """A service that cannot be reached is a failure, and its clock cannot be asked."""
    pusher = Pusher.from_url("http://k:s@127.0.0.1:9/apps/1")
    assert ask_credentials(pusher).ok is False
    assert ask_clock(pusher.config, NOW).ok is None


@pytest.mark.parametrize(
    ("skew", "ok", "words"),
    [
        (3, True, "3 s"),
        (-3, True, "3 s"),
        (90, False, "90 s ahead of"),
        (-700, False, "700 s behind"),
    ],
)
def test_clock(skew: int, ok: bool, words: str) -> None:
    """A clock that is a minute off fails long before requests are refused."""
    outcome = judge_clock(formatdate(NOW, usegmt=True), NOW + skew)
    assert outcome.ok is ok
    assert words in outcome.detail


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_no_date(date: str | None) -> None:
    """Without a date nothing is claimed."""
    assert judge_clock(date, NOW).ok is None


def test_the_clock_of_a_server(channels_server: RunningServer) -> None:
    """The local server's answers carry a date."""
    import time

    assert ask_clock(Pusher.from_url(channels_server.pusher_url).config, time.time()).ok is True
