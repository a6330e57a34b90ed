"""`gae-pusher channels`: which channels are occupied now."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from gae_pusher.cli.configured import add_api_options, configured_pusher

__all__ = ["register", "report", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher channels
  gae-pusher channels --prefix presence- --info user_count
  gae-pusher channels --json

The app is the one of PUSHER_URL, or of PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "channels",
        help="list the occupied channels",
        description="List the occupied channels of a configured app.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prefix", metavar="TEXT", help="only names that start with it")
    parser.add_argument(
        "--info",
        metavar="NAMES",
        help="user_count (needs --prefix presence-) or subscription_count, with commas",
    )
    add_api_options(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List; returns 0. Raises what `Pusher.channels_info` raises, and ConfigurationError."""
    pusher = configured_pusher(arguments, os.environ)
    answer = pusher.channels_info(arguments.prefix, arguments.info)
    print(json.dumps(answer) if arguments.json else report(answer))  # noqa: T201
    return 0


def report(answer: Mapping[str, Any]) -> str:
    """One channel a line, in the order of names, its attributes in columns."""
    channels = answer["channels"]
    if not channels:
        return "no channel is occupied"
    width = max(map(len, channels))
    return "\n".join(_row(name, channels[name], width) for name in sorted(channels))


def _row(name: str, info: Mapping[str, Any], width: int) -> str:
    facts = "  ".join(f"{attribute} {value}" for attribute, value in info.items())
    return f"{name:<{width}}  {facts}".rstrip()
