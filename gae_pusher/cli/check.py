"""`gae-pusher check`: what would go wrong with a deployment, found before gcloud does."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gae_pusher.deploy.check import Finding

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher check                     the app in this folder
  gae-pusher check --fix               mend what can be mended safely
  gae-pusher check --sarif > log.sarif for a code host's annotations
  gae-pusher check --strict --json     in CI: warnings fail as well

Nothing is uploaded and nothing is asked of the network, except by --resolve. Where gcloud is
installed its own parser gives a second opinion. Every code is explained in docs/check.md.
Exit code 0: no error (with --strict, no warning either); 1: findings; 2: wrong usage.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "check",
        help="say what would go wrong with a deployment",
        description="Check app.yaml, its companions, requirements and the upload, in a second.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="has the app.yaml"
    )
    parser.add_argument("--app-yaml", default="app.yaml", metavar="FILE", help="another app.yaml")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended safely")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="an array of findings")
    output.add_argument("--sarif", action="store_true", help="a SARIF 2.1.0 log")
    parser.add_argument("--strict", action="store_true", help="warnings fail as well")
    parser.add_argument("--no-gcloud", action="store_true", help="do not ask gcloud's parser")
    parser.add_argument("--resolve", action="store_true", help="let pip resolve the requirements")
    parser.add_argument(
        "--allow-runtime", metavar="NAME", help="a runtime newer than this tool, such as python316"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when any of them fails the check."""
    from gae_pusher.deploy.check import Severity, report

    if not arguments.folder.is_dir():
        raise NotADirectoryError(f"{arguments.folder} is no folder")
    if arguments.fix:
        _fix(arguments)
    findings = _findings(arguments)
    if arguments.json:
        text = report.to_json(findings)
    elif arguments.sarif:
        text = report.to_sarif(findings)
    else:
        text = report.to_text(findings, colour=sys.stdout.isatty())
    sys.stdout.write(text)
    limit = Severity.WARNING if arguments.strict else Severity.ERROR
    return int(any(finding.rule.severity >= limit for finding in findings))


def _findings(arguments: argparse.Namespace) -> list[Finding]:
    from gae_pusher.deploy.check import check_folder, second_opinions

    folder, name = arguments.folder, arguments.app_yaml
    findings = check_folder(folder, datetime.date.today(), name)
    if not arguments.no_gcloud and (folder / name).exists():
        findings += second_opinions.ask_gcloud(folder, name)
    if arguments.resolve and (folder / "requirements.txt").exists():
        findings += second_opinions.ask_pip(folder / "requirements.txt", "requirements.txt")
    allowed = f"{arguments.allow_runtime!r} "
    return sorted(f for f in findings if not (f.code == "A102" and f.message.startswith(allowed)))


def _fix(arguments: argparse.Namespace) -> None:
    from gae_pusher.deploy.check import check_folder
    from gae_pusher.deploy.check.fixes import plan_fixes

    folder = arguments.folder
    findings = check_folder(folder, datetime.date.today(), arguments.app_yaml)
    paths = {".gitignore", ".gcloudignore"} | {finding.path for finding in findings}
    # As bytes, so that a file keeps its ends of lines.
    texts = {
        path: (folder / path).read_bytes().decode("utf-8", "replace")
        for path in paths
        if (folder / path).is_file()
    }
    for edit in plan_fixes(findings, texts):
        (folder / edit.path).write_bytes(edit.text.encode())
        print(f"{edit.path}: {edit.about}", file=sys.stderr)  # noqa: T201
