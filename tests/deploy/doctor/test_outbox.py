"""How long events have waited in the outbox."""

from __future__ import annotations

import pytest

from gae_pusher import Pusher
from gae_pusher.deploy.doctor.outbox import ask_outbox, judge_outbox
from gae_pusher.outbox.entry import OutboxEntry, due_slot, parked_slot

NOW = 1_800_000_000.0
PUSHER = Pusher.from_url("http://key:secret@127.0.0.1:9/apps/1")


def waiting(due: float) -> OutboxEntry:
    return OutboxEntry(slot=due_slot("1", "ab12", 1, due))


def test_an_empty_outbox_and_a_busy_one_are_well() -> None:
    """What is due since a moment, or later, is on its way."""
    assert judge_outbox([], NOW).ok is True
    outcome = judge_outbox([waiting(NOW - 60), waiting(NOW + 600)], NOW)
    assert (outcome.ok, outcome.detail) == (True, "2 waiting, none for long")


def test_an_old_event_means_that_nobody_sweeps() -> None:
    """An event that has been due for minutes has nobody who sends it."""
    outcome = judge_outbox([waiting(NOW - 900), waiting(NOW - 5)], NOW)
    assert outcome.ok is False
    assert "15 minutes" in outcome.detail
    assert "sweeps" in outcome.do


def test_a_parked_event_needs_a_person() -> None:
    """What was given up is a failure, however new."""
    outcome = judge_outbox([OutboxEntry(slot=parked_slot("1", NOW)), waiting(NOW)], NOW)
    assert (outcome.ok, outcome.detail) == (False, "1 parked")


def test_without_credentials_it_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """Who has not signed in for libraries is told how."""
    monkeypatch.delenv("DATASTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    outcome = ask_outbox(PUSHER, "demo-test", NOW)
    assert outcome.ok is None
    assert "application-default login" in outcome.do
