"""The schedule language, alone and against the parser that gcloud ships."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from gae_pusher.deploy.check.cron import schedule_problem
from tests.conftest import require

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


def test_agrees_with_gcloud() -> None:
    """The parser inside gcloud accepts and refuses the same schedules."""
    program = require("gcloud", "install the Google Cloud SDK to compare with its parser")
    root = Path(os.path.realpath(program)).parent.parent
    script = """
import json, os, sys
root = sys.argv[1]
sys.path[:0] = [os.path.join(root, "lib", "third_party"), os.path.join(root, "lib")]
from googlecloudsdk.appengine.googlecron import groctimespecification
verdicts = []
for schedule in json.load(sys.stdin):
    try:
        groctimespecification.GrocTimeSpecification(schedule)
        verdicts.append(True)
    except Exception:
        verdicts.append(False)
print(json.dumps(verdicts))
"""
    python = root / "platform" / "bundledpythonunix" / "bin" / "python3"
    answer = subprocess.run(
        [str(python) if python.exists() else "python3", "-c", script, str(root)],
        input=json.dumps(GOOD + BAD),
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [schedule_problem(schedule) is None for schedule in GOOD + BAD]
    theirs = json.loads(answer.stdout)
    different = [s for s, a, b in zip(GOOD + BAD, ours, theirs, strict=True) if a != b]
    assert different == []
