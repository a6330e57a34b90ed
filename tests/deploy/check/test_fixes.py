"""What --fix changes."""

from __future__ import annotations

import pytest

from gae_pusher.deploy.check import Finding
from gae_pusher.deploy.check.fixes import GCLOUDIGNORE, Edit, plan_fixes


def test_writes_a_gcloudignore() -> None:
    """Where there is none, a safe one is written; it includes .gitignore only where that exists."""
    findings = [Finding(".gcloudignore", 0, "U002", ""), Finding(".gcloudignore", 0, "U005", "")]
    assert plan_fixes(findings, {}) == [Edit(".gcloudignore", GCLOUDIGNORE, "written")]
    with_git = GCLOUDIGNORE + "#!include:.gitignore\n"
    edits = plan_fixes(findings, {".gitignore": "x\n"})
    assert edits == [Edit(".gcloudignore", with_git, "written")]


def test_includes_the_gitignore() -> None:
    """An existing one keeps its lines and gains the include."""
    findings = [Finding(".gcloudignore", 0, "U005", "")]
    edits = plan_fixes(findings, {".gcloudignore": "*.md\n", ".gitignore": "x\n"})
    assert edits == [Edit(".gcloudignore", "*.md\n#!include:.gitignore\n", "includes .gitignore")]


def test_leaves_installed_packages_behind() -> None:
    """A virtual environment by any name is ignored, where no pattern does it already."""
    found = [Finding("env", 0, "U004", ""), Finding("web/node_modules", 0, "U004", "")]
    edits = plan_fixes(found, {".gcloudignore": "*.md"})
    text = "*.md\n/env/\n/web/node_modules/\n"
    assert edits == [Edit(".gcloudignore", text, "ignores env, ignores web/node_modules")]
    written = plan_fixes([Finding(".gcloudignore", 0, "U002", ""), *found], {})
    assert written == [Edit(".gcloudignore", GCLOUDIGNORE + "/env/\n", "written")]


QUOTED = [
    ("env_variables:\n  A: yes # on\n  B: 'no'\n", "env_variables:\n  A: 'yes' # on\n  B: 'no'\n"),
    ("env_variables: {A: no, B: 010, C: x}\n", "env_variables: {A: 'no', B: '010', C: x}\n"),
    ("env_variables:\r\n  C: 1.10\r\n", "env_variables:\r\n  C: '1.10'\r\n"),
    ("build_env_variables:\n  D: 12:30", "build_env_variables:\n  D: '12:30'"),
    (
        "env_variables:\n  A: 'no'\n  B: 5\n  C: 1.5\n",
        "env_variables:\n  A: 'no'\n  B: 5\n  C: 1.5\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), QUOTED)
def test_quotes_values(before: str, after: str) -> None:
    """Values that YAML would change get quotes, whatever the style; all else stays as it is."""
    edits = plan_fixes([Finding("app.yaml", 2, "A402", "")], {"app.yaml": before})
    assert edits == [Edit("app.yaml", after, "values quoted")]
