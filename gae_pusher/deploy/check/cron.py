"""The schedule language of cron.yaml, which Google's parsers leave to the server."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["schedule_problem"]

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
    rf"every (\d+) (?:hours?|minutes?|mins?)(?: (?:synchronized|from {_TIME} to {_TIME}))?"
)
_POINTS: Final = re.compile(
    rf"(?:(?:every|{_several(_ORDINAL)}) {_DAYS}(?: of {_MONTHS})?"
    rf"|{_several(_DAY_OF_MONTH)} of {_MONTHS}) {_TIME}"
)


def schedule_problem(schedule: str) -> str | None:
    """Why App Engine would refuse a schedule, or None when it is fine.

    Two forms: 'every 5 minutes [from 10:00 to 14:00 | synchronized]' and
    'every monday 09:00', '1st,third mon of march 17:00', '1,15 of month 00:30'.
    """
    text = re.sub(r"\s*,\s*", ",", " ".join(schedule.split()))
    interval = _INTERVAL.fullmatch(text)
    if interval:
        return None if int(interval[1]) > 0 else "an interval of 0 never runs"
    if _POINTS.fullmatch(text):
        return None
    if re.fullmatch(r"[\d*/,\- ]+", text):
        return "this is crontab's language: write 'every 5 minutes' or 'every day 03:00'"
    if text != text.lower() and schedule_problem(text.lower()) is None:
        return "a schedule is written in lower case"
    return f"{schedule!r} is no schedule such as 'every 5 minutes' or 'every day 03:00'"
