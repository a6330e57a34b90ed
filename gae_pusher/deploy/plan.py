"""What a deployment will do, decided before anything is done."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import Final

from gae_pusher.deploy.changes import changes_against
from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.includes import included_paths
from gae_pusher.deploy.check.rules.configs import CONFIGS
from gae_pusher.deploy.check.rules.upload import is_secret_file
from gae_pusher.deploy.serving import Serving
from gae_pusher.errors import ConfigurationError

__all__ = ["DeployPlan", "as_deployed", "make_plan", "version_name"]

_NAMED: Final = 5
_IGNORE_FILES: Final = (".gcloudignore", ".gitignore")
_VERSION: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """One deployment: what is uploaded, as what, and who gets the traffic afterwards.

    `files` are paths from the app's root; `kept_back` are files that app.yaml includes and the
    configs, which gcloud reads here and does not upload. `serving` has the traffic now, None when
    that is unknown; `changes` compares with it. `left_out` are files and folders that plain gcloud
    would upload.
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
    serving: Serving | None
    changes: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The plan for a person."""
        rows = [
            ("project", self.project),
            ("service", self.service),
            ("version", self.version),
            ("files", f"{len(self.files)}, {self.size / 1024:,.0f} KB"),
            ("configs", ", ".join(self.configs) or "none"),
            ("traffic", self._traffic()),
        ]
        if self.left_out:
            named = ", ".join(self.left_out[:_NAMED])
            more = len(self.left_out) - _NAMED
            rows.append(("left out", named + (f" and {more} more" if more > 0 else "")))
        rows += [("change", change) for change in self.changes]
        if self._serves and not self.changes:
            rows.append(("change", "none in app.yaml"))
        return [f"  {name:<8} {value}" for name, value in rows]

    @property
    def rollback(self) -> str | None:
        """The command that gives the traffic back to who had it; None when nobody is known."""
        if self.serving is None or not self._serves:
            return None
        return (
            f"gcloud app services set-traffic {self.service} {self.serving.arguments} "
            f"--project={self.project}"
        )

    @property
    def removal(self) -> str:
        """The command that deletes the new version, which only one without traffic can be."""
        return (
            f"gcloud app versions delete {self.version} --service={self.service} "
            f"--project={self.project}"
        )

    @property
    def _serves(self) -> bool:
        return self.serving is not None and bool(self.serving.split)

    def _traffic(self) -> str:
        if self.serving is not None and not self._serves:
            return "goes to it at once, as App Engine does with the first version of a service"
        if not self.promote:
            return "stays where it is"
        road = f"moves from {self.serving} to it" if self._serves else "goes to it"
        return f"{road}, after the smoke test"


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

    Raises ConfigurationError for a version name that App Engine refuses, and for an included file
    outside of the folder.
    """
    if not _VERSION.fullmatch(version):
        raise ConfigurationError(
            f"version {version!r} must be lower-case letters, digits and '-', at most 63"
        )
    project = as_deployed(found)
    files = tuple(sorted(project.uploaded))
    files_left_out = (found.uploaded - project.uploaded).difference(CONFIGS, _IGNORE_FILES)
    left_out = {_outermost(path, found.installed) for path in files_left_out}
    included = included_paths(project.app_yaml, project.documents)
    if outside := [path for path in included if path.startswith(("/", "../"))]:
        raise ConfigurationError(
            f"{project.app_yaml} includes {outside[0]}, which is outside of the folder that is "
            "deployed: move it below"
        )
    configs = tuple(path for path in CONFIGS if path in project.documents)
    return DeployPlan(
        project=project_id,
        service=str(project.app.plain("service", "default")),
        version=version,
        app_yaml=project.app_yaml,
        files=files,
        size=sum(project.sizes[path] for path in files),
        configs=configs,
        kept_back=(*(path for path in included if path not in files), *configs),
        promote=promote,
        serving=serving,
        changes=changes_against(serving.config, project.app) if serving and serving.split else (),
        left_out=tuple(sorted(left_out)),
    )


def _outermost(path: str, folders: frozenset[str]) -> str:
    """A path, or the folder of packages that it is in."""
    return next((f"{folder}/" for folder in folders if path.startswith(f"{folder}/")), path)


def _is_deployed(project: Project, path: str) -> bool:
    below = tuple(f"{folder}/" for folder in project.installed)
    if path in project.git_ignored or is_secret_file(path) or path.startswith(below):
        return False
    return path not in (*_IGNORE_FILES, *CONFIGS)
