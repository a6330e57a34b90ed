"""`gae-pusher outbox`: what waits in the outbox and why; another try, or the waste basket."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.cli import values
from gae_pusher.cli.configured import add_app_options, configured_pusher
from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.outbox.desk import Desk

__all__ = ["register", "table"]

LIMIT: Final = 100

_EPILOG: Final = """\
examples:
  gae-pusher outbox list --parked
  gae-pusher outbox show 7f72efdfabd3673499a0a6451cd0f06e
  gae-pusher outbox retry --parked
  gae-pusher outbox drop 7f72efdfabd3673499a0a6451cd0f06e

The Datastore is that of --project, GOOGLE_CLOUD_PROJECT or DATASTORE_EMULATOR_HOST, the app that
of PUSHER_URL or of PUSHER_APP_ID and its like.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its subcommands."""
    parser = subparsers.add_parser(
        "outbox",
        help="look after events that could not be sent yet",
        description="Look after events that could not be sent yet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = _add(commands, "list", "list entries, those that are due first", run_list)
    listing.add_argument("--parked", action="store_true", help="only those that wait for you")
    listing.add_argument(
        "--limit",
        type=values.count,
        default=LIMIT,
        metavar="N",
        help="at most N entries (%(default)s)",
    )
    show = _add(commands, "show", "show one entry with its events", run_show)
    show.add_argument("entry", metavar="ID", help="as `list` names it")
    retry = _add(commands, "retry", "have the next sweep send entries", run_retry)
    drop = _add(commands, "drop", "delete entries; their events are never sent", run_drop)
    for each in (retry, drop):
        each.add_argument("entries", metavar="ID", nargs="*", help="as `list` names them")
        each.add_argument("--parked", action="store_true", help="all that are parked")


def run_list(arguments: argparse.Namespace) -> int:
    """List; returns 0."""
    entries = _desk(arguments).list(arguments.limit, arguments.parked)
    print(json.dumps(entries) if arguments.json else table(entries))  # noqa: T201
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Show; returns 0. Raises NoSuchEntry."""
    entry = _desk(arguments).show(arguments.entry)
    print(json.dumps(entry, indent=None if arguments.json else 2))  # noqa: T201
    return 0


def run_retry(arguments: argparse.Namespace) -> int:
    """Make entries due; returns 0. Raises NoSuchEntry."""
    desk = _desk(arguments)
    return _for_each(arguments, desk, desk.retry, "due now, the next sweep sends it")


def run_drop(arguments: argparse.Namespace) -> int:
    """Delete entries; returns 0. Raises NoSuchEntry."""
    desk = _desk(arguments)
    return _for_each(arguments, desk, desk.drop, "dropped")


def table(entries: list[dict[str, Any]]) -> str:
    """One entry a line: its id, its state and since or until when, attempts, events, the reason."""
    lines = [
        f"{entry['id']}  {entry['state']:7}  {entry.get('due') or entry['since']}  "
        f"{entry['attempts']:2} attempts  {entry['events']} events  {entry['error'] or ''}"
        for entry in entries
    ]
    return "\n".join(line.rstrip() for line in lines) or "the outbox is empty"


def _for_each(
    arguments: argparse.Namespace, desk: Desk, action: Callable[[str], None], done: str
) -> int:
    if bool(arguments.entries) == arguments.parked:
        raise ConfigurationError("name entries, or give --parked to mean all that are parked")
    names = arguments.entries or [each["id"] for each in desk.list(LIMIT, parked=True)]
    for name in names:
        action(name)
        if not arguments.json:
            print(f"{name}: {done}")  # noqa: T201
    if arguments.json:
        print(json.dumps(names))  # noqa: T201
    return 0


def _desk(arguments: argparse.Namespace) -> Desk:
    from gae_pusher.outbox.desk import Desk

    return Desk(configured_pusher(arguments, os.environ).app_id, arguments.project)


def _add(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--project", metavar="ID", help="the Google Cloud project")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_app_options(parser)
    parser.set_defaults(run=run)
    return parser
