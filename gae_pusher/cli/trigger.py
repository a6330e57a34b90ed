"""`gae-pusher trigger`: one event from the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

from gae_pusher.cli.configured import add_api_options, configured_pusher

__all__ = ["Plan", "plan", "register", "report", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher trigger my-channel my-event '{"some": "data"}'
  gae-pusher trigger my-channel my-event hello
  gae-pusher trigger presence-board my-event '[1, 2]' --info user_count,subscription_count
  date | gae-pusher trigger my-channel tick -

The app is the one of PUSHER_URL, or of PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to trigger. `data` goes out as it is; `remark` is what to say about it."""

    channel: str
    event: str
    data: str = field(repr=False)
    socket_id: str | None
    info: str | None
    remark: str | None


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "trigger",
        help="trigger an event",
        description="Trigger an event on a channel of a configured app.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("channel", metavar="CHANNEL", help="the channel's name")
    parser.add_argument("event", metavar="EVENT", help="the event's name")
    parser.add_argument("data", metavar="DATA", help="JSON or plain text; - reads standard input")
    parser.add_argument("--socket-id", metavar="ID", help="the connection that must not get it")
    parser.add_argument(
        "--info",
        metavar="NAMES",
        help="ask for user_count, subscription_count or both, with a comma",
    )
    add_api_options(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trigger; returns 0. Raises what `Pusher.trigger` raises, and ConfigurationError."""
    planned = plan(arguments, sys.stdin)
    pusher = configured_pusher(arguments, os.environ)
    if planned.remark:
        print(f"gae-pusher: {planned.remark}", file=sys.stderr)  # noqa: T201
    answer = pusher.trigger(
        planned.channel, planned.event, planned.data, planned.socket_id, info=planned.info
    )
    print(json.dumps(answer) if arguments.json else report(planned, answer))  # noqa: T201
    return 0


def plan(arguments: argparse.Namespace, stdin: TextIO) -> Plan:
    """Decide from the options; reads `stdin` when DATA is -."""
    data = stdin.read().rstrip("\n") if arguments.data == "-" else arguments.data
    return Plan(
        arguments.channel,
        arguments.event,
        data,
        arguments.socket_id,
        arguments.info,
        _remark(data),
    )


def report(planned: Plan, answer: Mapping[str, Any]) -> str:
    """What a person wants to read: what went where, and the counts that were asked for."""
    size = len(planned.data.encode())
    lines = [f"triggered {planned.event} on {planned.channel} ({size} B)"]
    for info in answer.get("channels", {}).values():
        lines += [f"  {attribute} {value}" for attribute, value in info.items()]
    if planned.info and len(lines) == 1:
        lines.append("  the server answered without counts")
    return "\n".join(lines)


def _remark(data: str) -> str | None:
    """What looks like JSON and is none was probably mangled by the shell's quoting."""
    if not data.lstrip().startswith(("{", "[")):
        return None
    try:
        json.loads(data)
    except ValueError as error:
        return f"DATA looks like JSON and is none ({error}): triggered as plain text"
    return None
