"""What --fix changes."""

from __future__ import annotations

from gae_pusher.deploy.check import Finding
from gae_pusher.deploy.check.fixes import GCLOUDIGNORE, Edit, plan_fixes


def test_writes_a_gcloudignore() -> None:
    """Where there is none, a safe one is written."""
    findings = [Finding(".gcloudignore", 0, "U002", ""), Finding(".gcloudignore", 0, "U005", "")]
    assert plan_fixes(findings, {}) == [Edit(".gcloudignore", GCLOUDIGNORE, "written")]


def test_includes_the_gitignore() -> None:
    """An existing one keeps its lines and gains the include."""
    findings = [Finding(".gcloudignore", 0, "U005", "")]
    edits = plan_fixes(findings, {".gcloudignore": "*.md\n", ".gitignore": "x\n"})
    assert edits == [Edit(".gcloudignore", "*.md\n#!include:.gitignore\n", "includes .gitignore")]


def test_quotes_values() -> None:
    """Only the named lines change, and a comment stays."""
    text = "env_variables:\n  A: yes # on\n  B: 'no'\n  C: 1.10\n"
    findings = [Finding("app.yaml", line, "A402", "") for line in (2, 4)]
    assert plan_fixes(findings, {"app.yaml": text}) == [
        Edit(
            "app.yaml",
            "env_variables:\n  A: 'yes' # on\n  B: 'no'\n  C: '1.10'\n",
            "values quoted",
        )
    ]
