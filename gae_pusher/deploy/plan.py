"""What a deployment will do, decided before anything is done."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gae_pusher.deploy.changes import changes_against
from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.rules.configs import CONFIGS
from gae_pusher.deploy.check.rules.upload import is_secret_file
from gae_pusher.deploy.check.yaml_source import Source
from gae_pusher.errors import ConfigurationError

__all__ = ["DeployPlan", "Serving", "as_deployed", "make_plan", "version_name"]

_NAMED: Final = 5
_EMPTY: Final = Source({}, 0)
_IGNORE_FILES: Final = (".gcloudignore", ".gitignore")
_VERSION: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Serving:
    """The version that has the traffic now: its id and the Admin API's description of it."""

    version: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """One deployment: what is uploaded, as what, and who gets the traffic afterwards.

    `files` are paths from the app's root; `kept_back` are files that app.yaml includes and the
    configs, which gcloud reads here and does not upload. `changes` compares with the version
    that serves now. `left_out` are files that plain gcloud would upload.
    """

    project: str
    service: str
    version: str
    app_yaml: str
    files: tuple[str, ...]
    size: int
    configs: tuple[str, ...]
    kept_back: tuple[str, ...]
    promote: bool
    serving: str | None
    changes: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The plan for a person."""
        traffic = "stays where it is"
        if self.promote:
            traffic = f"moves from {self.serving} to it" if self.serving else "goes to it"
        rows = [
            ("project", self.project),
            ("service", self.service),
            ("version", self.version),
            ("files", f"{len(self.files)}, {self.size / 1024:,.0f} KB"),
            ("configs", ", ".join(self.configs) or "none"),
            ("traffic", f"{traffic}, after the smoke test" if self.promote else traffic),
        ]
        if self.left_out:
            named = ", ".join(self.left_out[:_NAMED])
            more = len(self.left_out) - _NAMED
            rows.append(("left out", named + (f" and {more} more" if more > 0 else "")))
        shown = [f"  {name:<8} {value}" for name, value in rows]
        return shown + [f"  {'change':<8} {change}" for change in self.changes]


def version_name(now: datetime.datetime) -> str:
    """A version's name from the time, as gcloud makes them."""
    return now.strftime("%Y%m%dt%H%M%S")


def as_deployed(project: Project) -> Project:
    """The project without git-ignored files, files of secrets, and installed packages."""
    kept = (path for path in project.uploaded if _is_deployed(project, path))
    return replace(project, uploaded=frozenset(kept))


def make_plan(
    found: Project, project_id: str, version: str, *, promote: bool, serving: Serving | None
) -> DeployPlan:
    """The plan for a project that `check` has found no error in, `as_deployed`.

    Raises ConfigurationError for a version name that App Engine refuses.
    """
    if not _VERSION.fullmatch(version):
        raise ConfigurationError(
            f"version {version!r} must be lower-case letters, digits and '-', at most 63"
        )
    project = as_deployed(found)
    files = tuple(sorted(project.uploaded))
    left_out = (found.uploaded - project.uploaded).difference(CONFIGS, _IGNORE_FILES)
    includes = (project.app.get("includes") or _EMPTY).entries()
    included = tuple(str(name.value) for name in includes if name.value not in files)
    configs = tuple(path for path in CONFIGS if path in project.documents)
    return DeployPlan(
        project=project_id,
        service=str(project.app.plain("service", "default")),
        version=version,
        app_yaml=project.app_yaml,
        files=files,
        size=sum(project.sizes[path] for path in files),
        configs=configs,
        kept_back=included + configs,
        promote=promote,
        serving=serving.version if serving else None,
        changes=changes_against(serving.config, project.app) if serving else (),
        left_out=tuple(sorted(left_out)),
    )


def _is_deployed(project: Project, path: str) -> bool:
    below = tuple(f"{folder}/" for folder in project.installed)
    if path in project.git_ignored or is_secret_file(path) or path.startswith(below):
        return False
    return path not in (*_IGNORE_FILES, *CONFIGS)
