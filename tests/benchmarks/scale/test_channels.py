"""The modelled Pusher."""

from __future__ import annotations

import random

import pytest

from benchmarks.scale.channels import ModelledPusher


def test_nothing_is_accepted_during_an_outage() -> None:
    """From its first second to its last an outage costs the caller the whole timeout."""
    pusher = ModelledPusher(random.Random(1), down_from=10, down_seconds=5)
    answers = [pusher.send(now, 1, 1, 0.5) for now in (9, 10, 14.9, 15)]
    assert [answer.accepted for answer in answers] == [True, False, False, True]
    assert answers[1].seconds == 0.5


def test_more_events_than_its_rate_wait_and_are_refused_then() -> None:
    """A caller waits while the service catches up, and gives up after its timeout."""
    pusher = ModelledPusher(random.Random(1), events_per_second=100)
    assert pusher.send(0, 200, 20, 5).seconds == pytest.approx(1, abs=0.5)
    pusher.send(0, 1000, 100, 5)
    assert not pusher.send(0, 1, 1, 5).accepted
