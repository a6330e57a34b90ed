"""Which job is due when, on a clock of this test."""

from __future__ import annotations

import pytest

from gae_pusher.emulator.appengine.agenda import Agenda
from gae_pusher.emulator.appengine.cron_yaml import parse_cron_yaml
from gae_pusher.errors import ConfigurationError

JOBS = parse_cron_yaml("""
cron:
- url: /sweep
  schedule: every 1 minutes
- url: /report
  description: the night's report
  schedule: every day 06:00
  timezone: Europe/Berlin
  target: worker
  retry_parameters: {job_retry_limit: 3}
""")
MIDNIGHT = 1_795_564_800.0  # 2026-11-25 00:00 UTC


def test_jobs_are_due_in_their_time_zone() -> None:
    """A minute later, and at six in Berlin, which is five in UTC."""
    agenda = Agenda(JOBS, MIDNIGHT)
    assert (agenda.due(0), agenda.due(1)) == (MIDNIGHT + 60, MIDNIGHT + 5 * 3600)
    assert agenda.next_due() == MIDNIGHT + 60


def test_a_job_that_runs_is_not_started_again() -> None:
    """What it misses meanwhile is left out, and its interval begins when it has ended."""
    agenda = Agenda(JOBS, MIDNIGHT)
    assert agenda.start_due(MIDNIGHT + 59) == []
    assert agenda.start_due(MIDNIGHT + 60) == [0]
    assert agenda.due(0) is None
    assert agenda.start_due(MIDNIGHT + 200) == []
    assert agenda.start(0) is False
    agenda.finish(0, MIDNIGHT + 210)
    assert agenda.due(0) == MIDNIGHT + 240


def test_a_job_may_be_started_before_it_is_due() -> None:
    """By hand, after which its schedule goes on."""
    agenda = Agenda(JOBS, MIDNIGHT)
    assert agenda.start(1) is True
    agenda.finish(1, MIDNIGHT + 10)
    assert agenda.due(1) == MIDNIGHT + 5 * 3600


def test_without_jobs_nothing_is_due() -> None:
    """An app without cron.yaml."""
    assert Agenda((), MIDNIGHT).next_due() is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cron:\n- url: /a\n  schedule: often\n", r"cron.yaml:3: 'often' is no schedule"),
        ("cron:\n- schedule: every day 03:00\n", "cron.yaml:2: url is None"),
        ("cron:\n- url: /a\n", "there is no schedule"),
        (
            "cron:\n- url: /a\n  schedule: every day 03:00\n  timezone: Mars/Base\n",
            "cron.yaml:4: timezone 'Mars/Base' is unknown",
        ),
        ("# nothing\n", "cron.yaml is empty: it needs at least `cron:`"),
    ],
)
def test_mistakes_are_told(text: str, problem: str) -> None:
    """With the file, the line, and what to write."""
    with pytest.raises(ConfigurationError, match=problem):
        parse_cron_yaml(text)
