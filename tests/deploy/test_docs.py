"""The pages about deploying: their YAML parses, their commands exist, their lists are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from gae_pusher.cli import parser
from gae_pusher.deploy.check import Project, Severity, check_project
from gae_pusher.deploy.check.yaml_source import parse
from tests.deploy.check.test_rules import TODAY

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = re.compile(
    r"^(?: {4}|.*(?:run:|- |&& |bin/)) *(gae-pusher (?:check|deploy|doctor) ?[^\n>&\[]*)$",
    re.MULTILINE,
)
PAGES = ("ci.md", "deploying.md")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def test_the_recipes_parse() -> None:
    """Each recipe is YAML: a GitHub workflow with two jobs, and a Cloud Build with two steps."""
    workflow, build = map(yaml.safe_load, blocks("ci.md"))
    assert set(workflow["jobs"]) == {"check", "deploy"}
    assert workflow["jobs"]["deploy"]["permissions"]["id-token"] == "write"
    assert [step["id"] for step in build["steps"]] == ["check", "deploy"]
    assert build["steps"][1]["secretEnv"] == ["PUSHER_URL"]


def test_the_app_yaml_passes_the_check() -> None:
    """The app.yaml that a newcomer copies has no error in it, and no secret."""
    (text,) = blocks("deploying.md")
    texts = {"app.yaml": text, "requirements.txt": "gunicorn\n", "main.py": "'/_ah/warmup'\n",
             ".gcloudignore": ""}  # fmt: skip
    project = Project({"app.yaml": parse(text)}, texts, dict.fromkeys(texts, 1), frozenset(texts))
    found = check_project(project, TODAY)
    assert [finding for finding in found if finding.rule.severity > Severity.NOTE] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_exist(page: str) -> None:
    """Every gae-pusher command of a page's code is one that the command line takes."""
    text = (DOCS / page).read_text()
    lines = COMMAND.findall(text)
    assert lines
    for line in lines:
        parser().parse_args(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("command", ["deploy", "doctor"])
def test_every_option_is_explained(command: str) -> None:
    """Each option of the command has a row on its page."""
    page = (DOCS / f"{command}.md").read_text()
    subparsers = parser()._subparsers
    assert subparsers is not None
    actions = subparsers._group_actions[0].choices[command]._actions  # type: ignore[index,call-overload]
    options = {name for action in actions for name in action.option_strings} - {"-h", "--help"}
    assert [name for name in options if f"| `{name}" not in page] == []
