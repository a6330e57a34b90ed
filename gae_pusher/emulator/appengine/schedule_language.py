"""The language of a schedule in cron.yaml, which Google's parsers leave to the server.

https://docs.cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time, timedelta
from typing import Final

from gae_pusher.emulator.appengine.schedule import Days, Grid, Interval, Schedule

__all__ = ["parse_schedule", "schedule_problem"]

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_NAMES: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_ORDINAL_NAMES: Final = ("first", "second", "third", "fourth", "fifth")

_ORDINAL: Final = r"(?:1st|2nd|3rd|4th|5th|first|second|third|fourth|fifth)"
_WEEKDAY: Final = (
    r"(?:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?"
    r"|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_TIME: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_DAY_OF_MONTH: Final = r"(?:[12]\d|3[01]|0?[1-9])"


def _several(item: str) -> str:
    return rf"{item}(?:,{item})*"


_DAYS: Final = rf"(?:day|{_several(_WEEKDAY)})"
_MONTHS: Final = rf"(?:month|{_several(_MONTH)}|(?:{_several(_ORDINAL)} month of )?quarter)"
_INTERVAL: Final = re.compile(
    rf"every (?P<number>\d+) (?P<unit>hours?|minutes?|mins?)"
    rf"(?: (?:(?P<synchronized>synchronized)|from (?P<start>{_TIME}) to (?P<end>{_TIME})))?"
)
_POINTS: Final = re.compile(
    rf"(?:(?:every|(?P<ordinals>{_several(_ORDINAL)})) (?P<weekdays>{_DAYS})"
    rf"(?: of (?P<of>{_MONTHS}))?"
    rf"|(?P<days>{_several(_DAY_OF_MONTH)}) of (?P<months>{_MONTHS})) (?P<time>{_TIME})"
)


def parse_schedule(schedule: str) -> Schedule:
    """What the text of a schedule means. Raises ValueError that says what is wrong.

    Two forms: 'every 5 minutes [from 10:00 to 14:00 | synchronized]' and
    'every monday 09:00', '1st,third mon of march 17:00', '1,15 of month 00:30'.
    """
    text = re.sub(r"\s*,\s*", ",", " ".join(schedule.split()))
    if interval := _INTERVAL.fullmatch(text):
        return _interval(interval)
    if points := _POINTS.fullmatch(text):
        return _days(points)
    if re.fullmatch(r"[\d*/,\- ]+", text):
        raise ValueError("this is crontab's language: write 'every 5 minutes' or 'every day 03:00'")
    if text != text.lower() and schedule_problem(text.lower()) is None:
        raise ValueError("a schedule is written in lower case")
    raise ValueError(f"{schedule!r} is no schedule such as 'every 5 minutes' or 'every day 03:00'")


def schedule_problem(schedule: str) -> str | None:
    """Why App Engine would refuse a schedule, or None when it is fine."""
    try:
        parse_schedule(schedule)
    except ValueError as error:
        return str(error)
    return None


def _interval(found: re.Match[str]) -> Schedule:
    number = int(found["number"])
    if not 0 < number < 1_000_000:
        raise ValueError(f"an interval of {number} never runs")
    step = number * (
        timedelta(hours=1) if found["unit"].startswith("hour") else timedelta(minutes=1)
    )
    if found["synchronized"]:
        if step > _DAY or _DAY % step:
            raise ValueError(f"{found[0]!r}: synchronized needs an interval that divides a day")
        return Grid(step, time(0, 0), time(23, 59))
    if found["start"]:
        return Grid(step, _time(found["start"]), _time(found["end"]))
    return Interval(step)


def _days(found: re.Match[str]) -> Days:
    at = _time(found["time"])
    if found["days"]:
        days = frozenset(int(day) for day in found["days"].split(","))
        months = _months(found["months"])
        if all(min(days) > _MOST_DAYS[month - 1] for month in months):
            raise ValueError(f"{found[0]!r}: no such month has a day {min(days)}")
        return Days(at, months, days=days)
    weekdays, months = found["weekdays"], _months(found["of"] or "month")
    ordinals = _ordinals(found["ordinals"]) if found["ordinals"] else frozenset(range(1, 6))
    if weekdays != "day":
        return Days(at, months, weekdays=_indexes(weekdays.split(","), _WEEKDAYS), weeks=ordinals)
    return Days(at, months, days=ordinals if found["ordinals"] else frozenset())


def _months(text: str) -> frozenset[int]:
    if text == "month":
        return frozenset(range(1, 13))
    if text.endswith("quarter"):
        first = _ordinals(text.split()[0]) if " " in text else {1}
        if max(first) > 3:
            raise ValueError(f"{text!r}: a quarter has three months")
        return frozenset(month + quarter for month in first for quarter in (0, 3, 6, 9))
    return frozenset(month + 1 for month in _indexes(text.split(","), _MONTH_NAMES))


def _ordinals(text: str) -> frozenset[int]:
    words = text.split(",")
    return frozenset(
        int(word[0]) if word[0].isdigit() else _ORDINAL_NAMES.index(word) + 1 for word in words
    )


def _indexes(words: Iterable[str], names: tuple[str, ...]) -> frozenset[int]:
    return frozenset(names.index(word[:3]) for word in words)


def _time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
