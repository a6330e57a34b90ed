"""The schedule language of cron.yaml, alone and against the parser that gcloud ships."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gae_pusher.emulator.appengine.schedule_language import parse_schedule, schedule_problem
from tests.conftest import require

START = "2026-11-25T03:36:00"
GOOD = [
    "every 5 minutes",
    "every 12 hours",
    "every 10 mins synchronized",
    "every 30 minutes from 10:00 to 14:00",
    "every day 00:00",
    "every monday 09:00",
    "every mon,wed,fri 17:30",
    "every tuesday of month 9:00",
    "1st,third mon,wed of month 17:00",
    "2nd monday of sep,oct,nov 17:00",
    "1 of jan,april,july,oct 00:00",
    "1,15 of month 10:00",
    "first sunday of quarter 00:00",
    "every  day   03:15",
    "every mon, wed 09:00",
]
BAD = [
    "*/5 * * * *",
    "every now and then",
    "every 0 minutes",
    "every 5 parsecs",
    "every day",
    "Every day 03:15",
    "every MONDAY 09:00",
    "every 5 minutes from 10:00 to 25:00",
    "every day 25:00",
    "monday 09:00",
    "32 of month 10:00",
    "",
    "every 7 minutes synchronized",
    "30 of feb 00:00",
    "fourth monday of fourth month of quarter 00:00",
]


@pytest.mark.parametrize("schedule", GOOD)
def test_good_schedules(schedule: str) -> None:
    """What the documentation shows is accepted."""
    assert schedule_problem(schedule) is None


@pytest.mark.parametrize("schedule", BAD)
def test_bad_schedules(schedule: str) -> None:
    """What the server would refuse is explained."""
    assert schedule_problem(schedule)


def test_crontab_is_recognized() -> None:
    """Somebody who writes crontab's language is told which one this is."""
    assert "crontab" in (schedule_problem("*/5 * * * *") or "")


NEXT = [
    # after, schedule, zone, the next two in UTC
    ("2026-11-25T03:36:20", "every 5 minutes", "UTC", "2026-11-25T03:41", "2026-11-25T03:46"),
    (
        "2026-11-25T03:36",
        "every 2 hours synchronized",
        "UTC",
        "2026-11-25T04:00",
        "2026-11-25T06:00",
    ),
    (
        "2026-11-25T10:20",
        "every 1 hours from 09:30 to 11:00",
        "UTC",
        "2026-11-25T10:30",
        "2026-11-26T09:30",
    ),
    (
        "2026-11-25T23:50",
        "every 20 minutes from 23:30 to 00:15",
        "UTC",
        "2026-11-26T00:10",
        "2026-11-26T23:30",
    ),
    ("2026-11-25T03:36", "every day 03:36", "UTC", "2026-11-26T03:36", "2026-11-27T03:36"),
    ("2026-11-25T03:36", "every mon,thursday 09:00", "UTC", "2026-11-26T09:00", "2026-11-30T09:00"),
    (
        "2026-11-25T03:36",
        "1st,third mon of month 17:00",
        "UTC",
        "2026-12-07T17:00",
        "2026-12-21T17:00",
    ),
    (
        "2026-11-25T03:36",
        "third day of jan,may 01:00",
        "UTC",
        "2027-01-03T01:00",
        "2027-05-03T01:00",
    ),
    ("2026-11-25T03:36", "29 of feb 00:00", "UTC", "2028-02-29T00:00", "2032-02-29T00:00"),
    ("2026-11-25T03:36", "1 of quarter 00:00", "UTC", "2027-01-01T00:00", "2027-04-01T00:00"),
    (
        "2026-11-25T03:36",
        "1 of 2nd month of quarter 00:00",
        "UTC",
        "2027-02-01T00:00",
        "2027-05-01T00:00",
    ),
    (
        "2026-11-25T12:00",
        "every day 09:00",
        "America/New_York",
        "2026-11-25T14:00",
        "2026-11-26T14:00",
    ),
    # New York's clocks skip from 02:00 to 03:00, and show 01:30 twice
    (
        "2026-03-07T12:00",
        "every day 02:30",
        "America/New_York",
        "2026-03-08T07:00",
        "2026-03-09T06:30",
    ),
    (
        "2026-10-31T12:00",
        "every day 01:30",
        "America/New_York",
        "2026-11-01T05:30",
        "2026-11-02T06:30",
    ),
    ("2026-03-29T00:30", "every 1 hours", "Europe/Berlin", "2026-03-29T01:30", "2026-03-29T02:30"),
]


@pytest.mark.parametrize(("after", "schedule", "zone", "first", "second"), NEXT)
def test_when_it_is_due(after: str, schedule: str, zone: str, first: str, second: str) -> None:
    """Each form, in its own time zone, over the days when clocks are changed, too."""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    one = parse_schedule(schedule).next(moment)
    two = parse_schedule(schedule).next(one)
    found = [each.astimezone(UTC).replace(tzinfo=None) for each in (one, two)]
    assert found == [datetime.fromisoformat(first), datetime.fromisoformat(second)]


def test_agrees_with_gcloud() -> None:
    """The parser inside gcloud accepts the same schedules, and is due at the same times."""
    program = require("gcloud", "install the Google Cloud SDK to compare with its parser")
    root = Path(os.path.realpath(program)).parent.parent
    script = """
import json, os, sys
from datetime import datetime
root = sys.argv[1]
sys.path[:0] = [os.path.join(root, "lib", "third_party"), os.path.join(root, "lib")]
from googlecloudsdk.appengine.googlecron import groctimespecification
start = datetime.fromisoformat(sys.argv[2])
answers = []
for schedule in json.load(sys.stdin):
    try:
        matches = groctimespecification.GrocTimeSpecification(schedule).GetMatches(start, 40)
        answers.append([match.isoformat() for match in matches])
    except Exception:
        answers.append(None)
print(json.dumps(answers))
"""
    python = root / "platform" / "bundledpythonunix" / "bin" / "python3"
    schedules = [*GOOD, *BAD, *(schedule for _, schedule, zone, *_ in NEXT if zone == "UTC")]
    answer = subprocess.run(
        [str(python) if python.exists() else "python3", "-c", script, str(root), START],
        input=json.dumps(schedules),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = dict(zip(schedules, json.loads(answer.stdout), strict=True))
    assert {schedule: matches(schedule, 40) for schedule in schedules} == theirs


def matches(schedule: str, count: int) -> list[str] | None:
    """The times of a schedule after START, None when there is something wrong with it."""
    if schedule_problem(schedule):
        return None
    found, moment = [], datetime.fromisoformat(START).replace(tzinfo=UTC)
    for _ in range(count):
        moment = parse_schedule(schedule).next(moment)
        found.append(moment.replace(tzinfo=None).isoformat())
    return found
