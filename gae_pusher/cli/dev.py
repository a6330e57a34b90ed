"""`gae-pusher dev`: the app and everything it needs, in one command."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from gae_pusher.cli import values
from gae_pusher.errors import ConfigurationError

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher dev                          the app in this folder, at http://localhost:8080
  gae-pusher dev board --port 8000        another folder, another port
  gae-pusher dev --datastore none         without a Datastore
  gae-pusher dev --datastore localhost:8432
                                          with one that runs already
  gae-pusher dev --webhook /hooks/pusher  where the app takes webhooks
  gae-pusher dev --json                   one JSON object a line, for programs

Everything listens on 127.0.0.1 and stops with Ctrl-C. docs/dev.md says what differs from
production.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "dev",
        help="run an app with the local stack, and again when a file changes",
        description="Run an App Engine app with local Channels, Datastore and Cloud Tasks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("directory", nargs="?", type=Path, default=Path(), metavar="DIR", help="has the app.yaml")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add(
        "--port",
        type=values.port,
        default=8080,
        help="the app's port, 0 for a free one (%(default)s)",
    )
    add(
        "--channels-port",
        type=values.port,
        default=6001,
        metavar="PORT",
        help="port of the Channels server, 0 for a free one (%(default)s)",
    )
    add(
        "--datastore",
        metavar="embedded|google|none|HOST:PORT",
        help="ours, Google's emulator, none, or one that runs already "
        "(DATASTORE_EMULATOR_HOST, else embedded)",
    )
    add(
        "--require-indexes",
        action="store_true",
        help="refuse queries that need a composite index which index.yaml lacks",
    )
    add("--data", type=Path, metavar="DIR", help="what is kept between runs (DIR/.gae_pusher)")
    add(
        "--webhook",
        default="/pusher/webhook",
        metavar="PATH",
        help="where the app takes webhooks, or none (%(default)s)",
    )
    add("--no-reload", action="store_true", help="keep the app running when a file changes")
    add("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; returns 0."""
    try:
        from gae_pusher.cli.dev_plan import plan
        from gae_pusher.cli.dev_session import Session
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"gae-pusher dev needs {error.name}: pip install 'gae-pusher[emulators]'"
        ) from None
    planned = plan(arguments, os.environ, shutil.which)
    return asyncio.run(Session(planned, os.environ, as_json=arguments.json).serve())
