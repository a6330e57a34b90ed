"""cron.yaml, read as far as a local server needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gae_pusher.emulator.appengine.document import Section, read
from gae_pusher.emulator.appengine.schedule import Schedule
from gae_pusher.emulator.appengine.schedule_language import parse_schedule

__all__ = ["CRON", "CronJob", "parse_cron_yaml"]

CRON: Final = "cron.yaml"


@dataclass(frozen=True, slots=True)
class CronJob:
    """A path of the app that is asked for on a schedule, whose local times are of `timezone`."""

    url: str
    text: str
    schedule: Schedule
    timezone: str = "UTC"
    description: str = ""

    def next(self, after: float) -> float:
        """When it is due after that moment; both in unix seconds."""
        moment = datetime.fromtimestamp(after, UTC).astimezone(ZoneInfo(self.timezone))
        return self.schedule.next(moment).timestamp()


def parse_cron_yaml(text: str) -> tuple[CronJob, ...]:
    """The jobs of a cron.yaml. Raises ConfigurationError with file, line and what to do."""
    return tuple(_job(entry) for entry in read(text, CRON, "cron:").sections("cron"))


def _job(entry: Section) -> CronJob:
    url, text = entry.text("url"), entry.text("schedule")
    if not url or not url.startswith("/"):
        entry.fail("url", f"url is {url!r}, it must be a path of the app that begins with /")
    if not text:
        entry.fail("schedule", "there is no schedule: add `schedule: every 5 minutes`")
    try:
        schedule = parse_schedule(text)
    except ValueError as error:
        entry.fail("schedule", str(error))
    timezone = entry.text("timezone") or "UTC"
    try:
        ZoneInfo(timezone)
    except (LookupError, ValueError, OSError):
        entry.fail("timezone", f"timezone {timezone!r} is unknown: write one such as Europe/Berlin")
    return CronJob(url, text, schedule, timezone, entry.text("description") or "")
