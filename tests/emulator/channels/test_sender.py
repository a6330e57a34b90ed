"""Webhooks on the wire: headers, failures, retries and replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gae_pusher.emulator.channels import (
    DEVELOPMENT_APP,
    App,
    Settings,
    WebhookEndpoint,
    WebhookTiming,
)
from gae_pusher.testing.channels import RunningServer, running_server

from .receiver import Receiver
from .test_server import connect_raw

TIMING = WebhookTiming(batch_seconds=0.02, timeout_seconds=0.5, grace_seconds=0)


@pytest.fixture
def server(app: App) -> Iterator[RunningServer]:
    with running_server([app], Settings(webhook_timing=TIMING)) as running:
        yield running


def occupy(server: RunningServer) -> None:
    connect_raw(server.port, "news").close()


def test_headers_are_spelled_exactly(server: RunningServer, receiver: Receiver) -> None:
    """Names have their exact capitals, and the type has no charset."""
    occupy(server)
    headers = receiver.wait(1)[0].headers
    assert ("Content-Type", "application/json") in headers
    assert ("X-Pusher-Key", "local-key") in headers
    assert any(name == "X-Pusher-Signature" for name, _ in headers)


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_failure_is_tried_again(server: RunningServer, receiver: Receiver, status: int) -> None:
    """Everything but 2xx, redirects included, is repeated a second later, byte for byte."""
    receiver.statuses = [status]
    occupy(server)
    failed = server.wait_for("webhook", attempt=1, status=status)[0]
    assert failed.facts["retry_seconds"] == 1
    server.advance(1)
    server.wait_for("webhook", attempt=2, status=200, id=failed.facts["id"])
    same = [hook.body for hook in receiver.hooks if hook.body.decode() == failed.facts["body"]]
    assert len(same) == 2


def test_backing_off_and_giving_up(receiver: Receiver, app: App) -> None:
    """The pauses double up to a minute, and after five minutes it is over."""
    with running_server([app], Settings(webhook_timing=replace(TIMING, batch_seconds=5))) as server:
        receiver.statuses = [500] * 20
        occupy(server)
        server.wait_for("connection", what="closed")
        server.advance(5)
        for attempt in range(1, 10):
            (failed,) = server.wait_for("webhook", attempt=attempt)
            assert failed.facts["retry_seconds"] == [1, 2, 4, 8, 16, 32, 60, 60, 60][attempt - 1]
            server.advance(failed.facts["retry_seconds"])
        (last,) = server.wait_for("webhook", attempt=10)
        assert last.facts["retry_seconds"] is None
        assert len(receiver.hooks) == 10


def test_slow_answer_is_a_failure(server: RunningServer, receiver: Receiver) -> None:
    """An answer that does not come in time counts as none."""
    receiver.stall.clear()
    occupy(server)
    failed = server.wait_for("webhook", attempt=1)[0]
    assert (failed.facts["status"], failed.facts["problem"]) == (None, "no answer within 0.5 s")


def test_nobody_there(server: RunningServer) -> None:
    """A refused connection is told as such."""
    app = replace(DEVELOPMENT_APP, webhooks=(WebhookEndpoint("http://127.0.0.1:1/hooks"),))
    with running_server([app], Settings(webhook_timing=TIMING)) as alone:
        occupy(alone)
        failed = alone.wait_for("webhook", attempt=1)[0]
        assert failed.facts["problem"].startswith("no connection")


def test_replay_repeats_the_bytes(server: RunningServer, receiver: Receiver) -> None:
    """A webhook that was delivered can be sent again as it was."""
    occupy(server)
    receiver.wait_for_events("channel_vacated")
    sent = server.wait_for("webhook", status=200)
    server.replay_webhook(sent[0].facts["id"])
    server.wait_for("webhook", count=len(sent) + 1)
    assert receiver.hooks[-1] == receiver.hooks[0]
    with pytest.raises(LookupError):
        server.replay_webhook("4242-999")


def test_failures_do_not_hold_up_the_next(server: RunningServer, receiver: Receiver) -> None:
    """While one webhook waits for its retry, later ones are delivered."""
    receiver.statuses = [500]
    occupy(server)
    server.wait_for("webhook", attempt=1, status=500)
    occupy(server)
    server.wait_for("webhook", attempt=1, status=200)
