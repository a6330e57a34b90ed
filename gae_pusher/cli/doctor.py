"""`gae-pusher doctor`: is everything that a deployed app needs there, and does it answer?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gae_pusher.cli import values
from gae_pusher.cli.configured import add_api_options, optional_pusher

if TYPE_CHECKING:
    from gae_pusher.deploy.gcloud import Gcloud

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher doctor --project my-project
  gae-pusher doctor --env-file .env --webhook http://localhost:8080/pusher/webhook
  gae-pusher doctor --json                  in CI, after a deployment

It changes nothing: it lists channels, sends the app one webhook without events and one without a
signature, and reads Google Cloud through gcloud. What cannot be asked here is said, and fails
nothing. Exit code 0: nothing failed; 1: something did; 2: wrong usage.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "doctor",
        help="ask the running services whether all is well",
        description="Ask Channels, Google Cloud and the deployed app whether all is well.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="has the app.yaml"
    )
    parser.add_argument("--app-yaml", default="app.yaml", metavar="FILE", help="another app.yaml")
    parser.add_argument("--project", metavar="ID", help="default: gcloud's configured project")
    parser.add_argument("--queue", default="default", metavar="NAME", help="of background tasks")
    parser.add_argument(
        "--sweep", default="/outbox", metavar="PATH", help="where OutboxApp is mounted (/outbox)"
    )
    parser.add_argument(
        "--webhook",
        type=values.http_url,
        metavar="URL",
        help="default: /pusher/webhook of the deployed app",
    )
    add_api_options(parser)
    parser.add_argument("--json", action="store_true", help="an array of outcomes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the outcomes; 1 when one of them failed."""
    from gae_pusher.deploy.check import read_project
    from gae_pusher.deploy.doctor.diagnosis import Targets, diagnose

    if not arguments.folder.is_dir():
        raise NotADirectoryError(f"{arguments.folder} is no folder")
    project, _ = read_project(arguments.folder, arguments.app_yaml)
    targets = Targets(arguments.queue, arguments.sweep, arguments.webhook)
    outcomes = []
    pusher = optional_pusher(arguments, os.environ)
    for outcome in diagnose(project, pusher, _gcloud(arguments), targets):
        outcomes.append(outcome)
        if not arguments.json:
            print(outcome.line(), flush=True)  # noqa: T201
    if arguments.json:
        print(json.dumps([dataclasses.asdict(outcome) for outcome in outcomes], indent=2))  # noqa: T201
    return int(any(outcome.ok is False for outcome in outcomes))


def _gcloud(arguments: argparse.Namespace) -> Gcloud | None:
    from gae_pusher.deploy.gcloud import Gcloud, find_project

    if shutil.which("gcloud") is None:
        return None
    project = find_project(arguments.project)
    return Gcloud(project) if project else None
