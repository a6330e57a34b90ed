"""`gae-pusher deploy`: check, plan, upload, smoke test, and only then the traffic."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gae_pusher.cli.configured import add_api_options, optional_pusher
from gae_pusher.errors import ConfigurationError, PusherError

if TYPE_CHECKING:
    from gae_pusher.deploy.check import Project
    from gae_pusher.deploy.gcloud import Gcloud
    from gae_pusher.deploy.plan import DeployPlan
    from gae_pusher.deploy.serving import Serving
    from gae_pusher.deploy.smoke import Endpoints

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher deploy --dry-run               show what would happen, change nothing
  gae-pusher deploy --project my-project    deploy, test, move the traffic
  gae-pusher deploy --no-promote            deploy and test, leave the traffic alone

The real gcloud does the work: sign in with `gcloud auth login` first. Files that git ignores, .env
and virtual environments are never uploaded, and nothing is written into your folder. The signed
part of the smoke test needs the app's PUSHER_URL in this environment, or --env-file, else it is
skipped.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "deploy",
        help="check, deploy with gcloud, test, then move the traffic",
        description="Deploy an app so that a broken version never gets traffic.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="has the app.yaml"
    )
    parser.add_argument("--app-yaml", default="app.yaml", metavar="FILE", help="another app.yaml")
    parser.add_argument("--project", metavar="ID", help="default: gcloud's configured project")
    parser.add_argument("--version", metavar="NAME", help="default: the time")
    parser.add_argument("--no-promote", action="store_true", help="leave the traffic alone")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask before deploying")
    parser.add_argument("--no-smoke-test", action="store_true", help="do not ask the new version")
    for name, default in (
        ("health", "/_ah/warmup if app.yaml has warmup, else /"),
        ("authorization", "/pusher/auth if the app authorizes channels"),
        ("webhook", "/pusher/webhook if the app takes webhooks"),
    ):
        help_text = f"path that the smoke test asks, '' for none (default {default})"
        parser.add_argument(f"--{name}", metavar="PATH", help=help_text)
    add_api_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the whole road; 1 when the check, the upload or the smoke test fails."""
    from gae_pusher.deploy.deployment import Deployment

    project = _checked(arguments)
    if project is None:
        return 1
    plan, gcloud = _plan(arguments, project)
    _say("\n".join(["This deployment:", *plan.lines()]))
    if arguments.dry_run or not _agreed(arguments):
        return 0
    pusher = optional_pusher(arguments, os.environ)
    deployment = Deployment(plan, gcloud, _say)
    # The copy that is uploaded may hold secrets: it must go, however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    url = deployment.upload(arguments.folder)
    if not arguments.no_smoke_test:
        _say(f"Smoke test of {url}:")
        deployment.test(url, _endpoints(arguments, project), pusher)
    if plan.promote:
        _promote(deployment.promote, plan.rollback)
    _say(f"{plan.version} is deployed{' and has the traffic' if plan.promote else ''}: {url}")
    return 0


def _checked(arguments: argparse.Namespace) -> Project | None:
    """The project, when `check` finds no error in it."""
    from gae_pusher.deploy.check import Severity, check_project, read_project, report
    from gae_pusher.deploy.plan import as_deployed

    if not arguments.folder.is_dir():
        raise NotADirectoryError(f"{arguments.folder} is no folder")
    found, unreadable = read_project(arguments.folder, arguments.app_yaml)
    findings = sorted([*unreadable, *check_project(as_deployed(found), datetime.date.today())])
    errors = [finding for finding in findings if finding.rule.severity is Severity.ERROR]
    if errors:
        sys.stderr.write(report.to_text(errors, colour=sys.stderr.isatty()))
        return None
    if findings:
        _say(f"check: {len(findings)} warnings and notes; see them with `gae-pusher check`")
    return found


def _plan(arguments: argparse.Namespace, project: Project) -> tuple[DeployPlan, Gcloud]:
    from gae_pusher.deploy.gcloud import Gcloud
    from gae_pusher.deploy.plan import make_plan, version_name

    project_id = _project_id(arguments)
    service = str(project.app.plain("service", "default"))
    serving = _serving(Gcloud(project_id), service, arguments.dry_run)
    version = arguments.version or version_name(datetime.datetime.now())
    promote = not arguments.no_promote
    plan = make_plan(project, project_id, version, promote=promote, serving=serving)
    return plan, Gcloud(project_id, follow=lambda line: _say(f"  {line}"))


def _serving(gcloud: Gcloud, service: str, dry_run: bool) -> Serving | None:
    """What serves now; a dry run does without, so that it needs no account."""
    from gae_pusher.deploy.gcloud import GcloudError
    from gae_pusher.deploy.serving import read_serving

    try:
        return read_serving(gcloud, service)
    except GcloudError as error:
        if not dry_run:
            raise
        _say(f"What serves now cannot be read: {error}")
        return None


def _project_id(arguments: argparse.Namespace) -> str:
    from gae_pusher.deploy.gcloud import find_project

    project = find_project(arguments.project)
    if not project:
        raise ConfigurationError(
            "no project: pass --project ID, or run `gcloud config set project ID`"
        )
    return project


def _agreed(arguments: argparse.Namespace) -> bool:
    if arguments.yes or not sys.stdin.isatty():
        return True
    sys.stderr.write("Deploy? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _endpoints(arguments: argparse.Namespace, project: Project) -> Endpoints:
    """What the smoke test asks: the options, and for the others what the app has."""
    from gae_pusher.deploy.smoke import endpoints_of

    names = ("health", "authorization", "webhook")
    given = {name: getattr(arguments, name) for name in names}
    told = {name: path for name, path in given.items() if path is not None}
    return dataclasses.replace(endpoints_of(project), **told)


def _promote(promote: Callable[[], None], rollback: str | None) -> None:
    try:
        promote()
    except PusherError:
        if rollback:
            _say(f"The traffic may be half moved. Give it back with:\n  {rollback}")
        raise
    if rollback:
        _say(f"To give the traffic back: {rollback}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
