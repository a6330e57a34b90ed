"""Rules for requirements.txt, alone and against app.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project

__all__ = ["check_requirements", "requires"]

REQUIREMENTS: Final = "requirements.txt"

_SDK: Final = "appengine-python-standard"
_OPTION: Final = re.compile(r"-(?:r|c|i|-[a-z-]+)\b")
_URL: Final = re.compile(r"(git|hg|svn|bzr)\+|https?://|\$\{")
_LOCAL: Final = re.compile(r"(-e\b|--editable\b|\.{1,2}(/|$)|/|file:)")


def check_requirements(project: Project) -> Iterator[Finding]:
    """Findings in requirements.txt, alone and against app.yaml."""
    text = project.texts.get(REQUIREMENTS)
    if "Pipfile" in project.sizes:
        yield Finding("Pipfile", 0, "R002", "App Engine's build refuses it")
    if text is None:
        yield Finding(REQUIREMENTS, 0, "R001", "the file does not exist")
        return
    for number, requirement in _lines(text):
        if _LOCAL.match(requirement):
            path = re.sub(r"^(-e|--editable)[ =]*|\[.*", "", requirement).removeprefix("file:")
            if not project.is_uploaded(path) and path.rstrip("/") != ".":
                yield Finding(REQUIREMENTS, number, "R007", f"{requirement!r} is not uploaded")
        elif not _is_understood(requirement):
            yield Finding(REQUIREMENTS, number, "R006", f"{requirement!r} is no requirement")
    yield from _check_bundled(project, text)


def requires(project: Project, name: str, path: str = REQUIREMENTS) -> bool:
    """Whether a requirements file, or one that it includes, names a package."""
    for _, requirement in _lines(project.texts.get(path, "")):
        if re.match(rf"{name}(?![\w.-])", requirement, re.IGNORECASE):
            return True
        included = re.match(r"(?:-r|--requirement)[ =]*(\S+)", requirement)
        if included:
            other = str(PurePosixPath(path).parent / included[1])
            if other != path and requires(project, name, other):
                return True
    return False


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Requirements with their line numbers, as pip reads them: continued, without comments."""
    joined = re.sub(r"\\\n", lambda match: "\0", text)
    number = 1
    for line in joined.splitlines():
        requirement = re.sub(r"(^|\s)#.*", "", line.replace("\0", " "))
        yield number, re.sub(r"\s--\w[\w-]*(=|\s)\S+", "", requirement).strip()
        number += 1 + line.count("\0")


def _is_understood(requirement: str) -> bool:
    if not requirement or _OPTION.match(requirement) or _URL.match(requirement):
        return True
    try:
        Requirement(requirement)
    except InvalidRequirement:
        return False
    return True


def _check_bundled(project: Project, text: str) -> Iterator[Finding]:
    installs = requires(project, _SDK)
    source = project.app.get("app_engine_apis")
    if source and source.value is True and not installs:
        yield Finding(project.app_yaml, source.line, "R003", "app_engine_apis is on")
    if installs and not (source and source.value is True):
        lines = (number for number, line in _lines(text) if line.lower().startswith(_SDK))
        yield Finding(REQUIREMENTS, next(lines, 0), "R004", "app_engine_apis is not on")
