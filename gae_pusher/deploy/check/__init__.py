"""What would go wrong with a deployment, found in a second, offline."""

from __future__ import annotations

import datetime
from pathlib import Path

from gae_pusher.deploy.check.findings import CATALOGUE, Finding, Rule, Severity
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.reader import read_project
from gae_pusher.deploy.check.rules.app_yaml import check_app_yaml
from gae_pusher.deploy.check.rules.configs import check_configs
from gae_pusher.deploy.check.rules.handlers import check_handlers
from gae_pusher.deploy.check.rules.requirements import check_requirements
from gae_pusher.deploy.check.rules.secrets import check_secrets
from gae_pusher.deploy.check.rules.upload import check_upload
from gae_pusher.deploy.check.rules.wiring import check_wiring

__all__ = [
    "CATALOGUE",
    "Finding",
    "Project",
    "Rule",
    "Severity",
    "check_folder",
    "check_project",
    "read_project",
]


def check_project(project: Project, today: datetime.date) -> list[Finding]:
    """Every finding in a project, in the order of files and lines. Reads nothing."""
    findings = [
        *check_app_yaml(project, today),
        *check_handlers(project),
        *check_configs(project),
        *check_requirements(project),
        *check_upload(project),
        *check_secrets(project),
        *check_wiring(project),
    ]
    return sorted(findings)


def check_folder(root: Path, today: datetime.date, app_yaml: str = "app.yaml") -> list[Finding]:
    """Every finding in the app below a folder; without an app.yaml there is nothing else to say."""
    project, unreadable = read_project(root, app_yaml)
    if app_yaml not in project.sizes:
        return [finding for finding in unreadable if finding.code == "A001"]
    return sorted([*unreadable, *check_project(project, today)])
