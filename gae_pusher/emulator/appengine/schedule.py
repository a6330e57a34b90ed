"""When a job of cron.yaml is due: after an interval, on a grid, or on certain days.

https://docs.cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count
from typing import Final, TypeAlias

__all__ = ["Days", "Grid", "Interval", "Schedule"]

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """So long after the last run has ended, at the beginning of a minute."""

    step: timedelta

    def next(self, after: datetime) -> datetime:
        """When it is due after that moment."""
        due = (after.astimezone(UTC) + self.step).replace(second=0, microsecond=0)
        return due.astimezone(after.tzinfo)


@dataclass(frozen=True, slots=True)
class Grid:
    """At fixed distances from `start` to `end` of each day; an earlier `end` is the next day's."""

    step: timedelta
    start: time
    end: time

    def next(self, after: datetime) -> datetime:
        """When it is due after that moment, in the zone of that moment."""
        zone, moment = after.tzinfo or UTC, after.astimezone(UTC)
        for day in (after.date() + n * _DAY for n in count(-1)):
            begin = _moment(day, self.start, zone)
            end = _moment(day + _DAY if self.end < self.start else day, self.end, zone)
            passed = max(-1, (moment - begin) // self.step)
            due = begin + (passed + 1) * self.step
            if due <= end:
                return due.astimezone(zone)
        raise AssertionError("days do not end")


@dataclass(frozen=True, slots=True)
class Days:
    """At one time of certain days: of a month, or weekdays of certain weeks of a month."""

    at: time
    months: frozenset[int]
    days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset(range(7))
    weeks: frozenset[int] = frozenset(range(1, 6))

    def next(self, after: datetime) -> datetime:
        """When it is due after that moment, in the zone of that moment."""
        zone = after.tzinfo or UTC
        for day in (after.date() + n * _DAY for n in count()):
            if self._has(day):
                due = _moment(day, self.at, zone)
                if due > after:
                    return due.astimezone(zone)
        raise AssertionError("days do not end")

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        if self.days:
            return day.day in self.days
        return day.weekday() in self.weekdays and (day.day - 1) // 7 + 1 in self.weeks


Schedule: TypeAlias = Interval | Grid | Days


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    """A local time in UTC: of one that comes twice the first, of one that is skipped the end."""
    local = datetime.combine(day, at, zone)
    while local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        local += _MINUTE
    return local.astimezone(UTC)
