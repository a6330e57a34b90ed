"""Rules for requirements.txt, alone and against app.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project

__all__ = ["check_requirements"]

REQUIREMENTS: Final = "requirements.txt"

_OPTION: Final = re.compile(r"-(?:r|c|i|-[a-z-]+)\b")
_LOCAL: Final = re.compile(r"(-e\b|--editable\b|\.{1,2}(/|$)|/|file:)")


def check_requirements(project: Project) -> Iterator[Finding]:
    """Findings in requirements.txt, alone and against app.yaml."""
    text = project.texts.get(REQUIREMENTS)
    if "Pipfile" in project.sizes:
        yield Finding("Pipfile", 0, "R002", "App Engine's build refuses it")
    if text is None:
        yield Finding(REQUIREMENTS, 0, "R001", "the file does not exist")
        return
    for number, line in enumerate(text.splitlines(), 1):
        requirement = line.partition("#")[0].strip()
        if _LOCAL.match(requirement):
            yield Finding(REQUIREMENTS, number, "R007", f"{requirement!r} is a local path")
        elif not _is_understood(requirement):
            yield Finding(REQUIREMENTS, number, "R006", f"{requirement!r} is no requirement")
    yield from _check_bundled(project, text)


def _is_understood(requirement: str) -> bool:
    if not requirement or _OPTION.match(requirement):
        return True
    try:
        Requirement(requirement)
    except InvalidRequirement:
        return False
    return True


def _check_bundled(project: Project, text: str) -> Iterator[Finding]:
    installs = re.search(r"^appengine-python-standard\b", text, re.MULTILINE | re.IGNORECASE)
    source = project.app.get("app_engine_apis")
    if source and source.value is True and not installs:
        yield Finding(project.app_yaml, source.line, "R003", "app_engine_apis is on")
    if installs and not (source and source.value is True):
        line = text[: installs.start()].count("\n") + 1
        yield Finding(REQUIREMENTS, line, "R004", "app_engine_apis is not on")
