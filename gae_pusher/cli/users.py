"""`gae-pusher users`: who is on a presence channel now."""

from __future__ import annotations

import argparse
import json
import os
from typing import Final

from gae_pusher.cli.configured import add_api_options, configured_pusher
from gae_pusher.sansio.responses import UsersInfo

__all__ = ["register", "report", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher users presence-board
  gae-pusher users presence-board --json

The app is the one of PUSHER_URL, or of PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "users",
        help="list the users of a presence channel",
        description="List the users of a presence channel, one id a line.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("channel", metavar="CHANNEL", help="a name that starts with presence-")
    add_api_options(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List; returns 0. Raises what `Pusher.users_info` raises, and ConfigurationError."""
    answer = configured_pusher(arguments, os.environ).users_info(arguments.channel)
    print(json.dumps(answer) if arguments.json else report(answer))  # noqa: T201
    return 0


def report(answer: UsersInfo) -> str:
    """One id a line, in order."""
    return "\n".join(sorted(user["id"] for user in answer["users"])) or "nobody is there"
