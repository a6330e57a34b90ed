"""What `gae-pusher dev` prints: one aligned line for each thing that happened."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from gae_pusher.emulator.activity import Activity

__all__ = ["render", "render_json"]

_COLOURS: Final = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33"} | {
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_LABEL_COLOURS: Final = {
    "event": "magenta",
    "webhook": "blue",
    "task": "cyan",
    "cron": "cyan",
    "app": "dim",
    "socket": "dim",
    "note": "yellow",
    "problem": "red",
    "api": "red",
}
_LABEL_WIDTH: Final = 8
_LEAD_WIDTH: Final = 26 + _LABEL_WIDTH  # time, label, status, duration and what is between them
_MINUTE: Final = 60

# Label, status, seconds, text, and how the text is painted.
_Line: TypeAlias = tuple[str, str, float | None, str, str | None]


def paint(text: str, colour: str | None, colours: bool) -> str:
    """The text in a colour of the terminal, or as it is."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colours and colour and text else text


def render(activity: Activity, *, colours: bool, width: int | None) -> str | None:
    """One line for a person, or None for what is not worth one.

    Long paths and names are cropped to `width` columns, what the app prints never is.
    """
    facts = activity.facts
    line: _Line | None
    match activity.kind:
        case "request":
            line = _request(facts)
        case "event":
            line = _event(facts)
        case "webhook":
            line = _webhook(facts)
        case "task":
            line = _task(facts)
        case "cron":
            line = _cron(facts)
        case "connection":
            line = _connection(facts)
        case "api":
            line = _api(facts)
        case "output":
            return _free(activity, facts["source"], colours)
        case _:
            return _free(activity, activity.kind, colours)
    if line is None:
        return None
    return _columns(activity.time, line, colours, width)


def render_json(activity: Activity) -> str:
    """One line for a program: `time`, `kind` and the facts."""
    return json.dumps({"time": activity.time, "kind": activity.kind, **activity.facts})


def _columns(moment: float, line: _Line, colours: bool, width: int | None) -> str:
    label, status, took, text, colour = line
    room = max(20, width - _LEAD_WIDTH) if width else None
    if room and len(text) > room:
        text = f"{text[: room - 1]}…"
    parts = (
        paint(_clock(moment), "dim", colours),
        paint(label.ljust(_LABEL_WIDTH), _LABEL_COLOURS.get(label, "bold"), colours),
        paint(status.rjust(3), _status_colour(status), colours),
        paint(_duration(took).rjust(7), "dim", colours),
        paint(text, colour, colours),
    )
    return "  ".join(parts).rstrip()


def _free(activity: Activity, label: str, colours: bool) -> str:
    """A line of words: the app's output, a note, a problem."""
    name = paint(label.ljust(_LABEL_WIDTH), _LABEL_COLOURS.get(label, "dim"), colours)
    text = paint(activity.facts["text"], "red" if label == "problem" else None, colours)
    return f"{paint(_clock(activity.time), 'dim', colours)}  {name}  {text}".rstrip()


def _request(facts: Mapping[str, Any]) -> _Line:
    colour = "dim" if facts["served_by"] == "static" else None
    text = "  ".join(filter(None, (facts["path"], facts["remark"])))
    return (facts["method"], str(facts["status"]), facts["took_seconds"], text, colour)


def _event(facts: Mapping[str, Any]) -> _Line:
    size = len(facts["data"].encode()) if isinstance(facts["data"], str) else 0
    receivers = facts["receivers"]
    to = "nobody" if receivers == 0 else f"{receivers} connection{'s' * (receivers != 1)}"
    sender = " from a client" if facts.get("source") == "client" else ""
    text = f"{facts['channel']}  {facts['event']}  {size} B to {to}{sender}"
    return ("event", "", None, text, None)


def _webhook(facts: Mapping[str, Any]) -> _Line:
    events = json.loads(facts["body"])["events"]
    names = [f"{event.get('name')} {event.get('channel', '')}".strip() for event in events]
    text = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    status = "---" if facts["status"] is None else str(facts["status"])
    return ("webhook", status, facts["took_seconds"], text + _retrying(facts), None)


def _task(facts: Mapping[str, Any]) -> _Line:
    status = "---" if facts["status"] is None else str(facts["status"])
    attempt = f" attempt {facts['attempt']}" if facts["attempt"] > 1 else ""
    text = f"{facts['queue']}  {facts['url']}{attempt}{_retrying(facts)}"
    return ("task", status, facts["took_seconds"], text, None)


def _cron(facts: Mapping[str, Any]) -> _Line:
    status = "---" if facts["status"] is None else str(facts["status"])
    text = "  ".join(filter(None, (facts["url"], facts["problem"])))
    return ("cron", status, facts["took_seconds"], text, None)


def _connection(facts: Mapping[str, Any]) -> _Line:
    what = facts.get("what", "")
    code = f" {facts['code']}" if facts.get("code") else ""
    reason = f" {facts['reason']}" if facts.get("reason") else ""
    name = facts.get("socket_id") or facts.get("path", "")
    return ("socket", "", None, f"{name} {what}{code}{reason}", "dim")


def _api(facts: Mapping[str, Any]) -> _Line | None:
    """A call of the HTTP API is worth a line when it was refused; events have their own."""
    if facts["status"] < 400:
        return None
    answer = str(facts.get("answer") or "").strip()
    return ("api", str(facts["status"]), None, f"{facts['method']} {facts['path']}  {answer}", None)


def _retrying(facts: Mapping[str, Any]) -> str:
    if not facts.get("problem"):
        return ""
    wait = facts.get("retry_seconds")
    return f"  {facts['problem']}" + (f", again in {wait:g} s" if wait is not None else "")


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.1f} min"


def _status_colour(status: str) -> str | None:
    return {"2": "green", "3": "cyan", "4": "yellow", "5": "red", "-": "red"}.get(status[:1])
