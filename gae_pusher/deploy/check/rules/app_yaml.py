"""Rules for app.yaml that Google's parsers leave to the server: runtime, scaling, environment."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.app_schema import APP_YAML, INCLUDED
from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.includes import included_paths, resolved
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.python_source import has_app
from gae_pusher.deploy.check.rules.requirements import requires
from gae_pusher.deploy.check.schema import check_schema
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["check_app_yaml"]

# First day on which new deployments are doubtful: the end of Python's own support.
_END_OF_SUPPORT: Final = {
    "python310": datetime.date(2026, 10, 31),
    "python311": datetime.date(2027, 10, 31),
    "python312": datetime.date(2028, 10, 31),
    "python313": datetime.date(2029, 10, 31),
    "python314": datetime.date(2030, 10, 31),
}
_GONE: Final = frozenset({"python27", "python37", "python38", "python39"})
_PREVIEW: Final = frozenset({"python315"})
_WARN_DAYS_AHEAD: Final = 90

_SCALING: Final = ("automatic_scaling", "basic_scaling", "manual_scaling")
_AUTOMATIC_CLASSES: Final = frozenset({"F1", "F2", "F4", "F4_1G"})
_OTHER_CLASSES: Final = frozenset({"B1", "B2", "B4", "B4_1G", "B8"})

# Key of automatic_scaling, lowest and highest value that the server takes.
_RANGES: Final = (
    ("min_instances", 0, 1000),
    ("max_instances", 0, 2_147_483_647),
    ("max_concurrent_requests", 1, 1000),
    ("target_cpu_utilization", 0.5, 0.95),
    ("target_throughput_utilization", 0.5, 0.95),
)
_RESERVED: Final = re.compile(
    r"PORT|GOOGLE_CLOUD_PROJECT"
    r"|GAE_(APPLICATION|DEPLOYMENT_ID|ENV|INSTANCE|MEMORY_MB|RUNTIME|SERVICE|VERSION)"
)
_EXPRESSION_OF_PORT: Final = re.compile(r"\$\{?PORT\b")


def check_app_yaml(project: Project, today: datetime.date) -> Iterator[Finding]:
    """Findings in app.yaml itself, files that it names included."""
    path, app = project.app_yaml, project.app
    if path not in project.documents:
        return
    yield from check_schema(path, project.documents[path], APP_YAML)
    yield from _check_includes(project)
    yield from _check_runtime(path, app, today)
    yield from _check_scaling(path, app)
    yield from _check_variables(app)
    yield from _check_entrypoint(project, app)


def _check_includes(project: Project) -> Iterator[Finding]:
    included = included_paths(project.app_yaml, project.documents)
    for path in included:
        yield from check_schema(path, project.documents[path], INCLUDED)
    for path in (project.app_yaml, *included):
        names = project.documents[path].get("includes")
        for name in names.entries() if names else ():
            if isinstance(name.value, str) and not resolved(name.value, path, project.has):
                yield Finding(path, name.line, "A010", f"{name.value} does not exist")


def _check_runtime(path: str, app: Source, today: datetime.date) -> Iterator[Finding]:
    runtime = app.get("runtime")
    if runtime is None:
        yield Finding(path, 1, "A101", "there is no `runtime`")
        return
    name, end = str(runtime.value), _END_OF_SUPPORT.get(str(runtime.value))
    if name in _GONE:
        yield Finding(path, runtime.line, "A103", f"{name} is past its end of support")
    elif name in _PREVIEW:
        yield Finding(path, runtime.line, "A105", f"{name} is a preview")
    elif end is None:
        yield Finding(path, runtime.line, "A102", f"{name!r} is no runtime that this tool knows")
    elif today + datetime.timedelta(days=_WARN_DAYS_AHEAD) >= end:
        yield Finding(path, runtime.line, "A104", f"Python's support of {name} ends on {end}")


def _check_scaling(path: str, app: Source) -> Iterator[Finding]:
    kinds = [kind for kind in _SCALING if app.get(kind)]
    if len(kinds) > 1:
        line = max(source.line for kind in kinds if (source := app.get(kind)))
        yield Finding(path, line, "A201", f"{' and '.join(kinds)} exclude each other")
        return
    automatic = not kinds or kinds[0] == "automatic_scaling"
    yield from _check_class(path, app, automatic)
    if automatic:
        yield from _check_automatic(path, app)
    else:
        yield from _check_at_least_one(path, app, kinds[0])


def _check_class(path: str, app: Source, automatic: bool) -> Iterator[Finding]:
    source = app.get("instance_class")
    if source is None:
        return
    name = str(source.value)
    if name not in _AUTOMATIC_CLASSES | _OTHER_CLASSES:
        yield Finding(path, source.line, "A203", f"{name!r} is no instance class")
    elif (name in _AUTOMATIC_CLASSES) != automatic:
        kind = "automatic" if automatic else "basic or manual"
        yield Finding(path, source.line, "A202", f"{name} does not go with {kind} scaling")


def _check_automatic(path: str, app: Source) -> Iterator[Finding]:
    section = app.get("automatic_scaling") or Source({}, 1)
    for key, low, high in _RANGES:
        source = section.get(key)
        number = _number(source)
        if source and number is not None and not low <= number <= high:
            text = f"{key} is {source.value}, the range is {low} to {high}"
            yield Finding(path, source.line, "A204", text)
    for low_key, high_key in (
        ("min_instances", "max_instances"),
        ("min_idle_instances", "max_idle_instances"),
    ):
        low_source, high_source = section.get(low_key), section.get(high_key)
        if low_source and _exceeds(_number(low_source), _number(high_source)):
            yield Finding(path, low_source.line, "A204", f"{low_key} is more than {high_key}")
    if not section.plain("max_instances"):
        yield Finding(path, section.line, "A205", "automatic_scaling has no max_instances")


def _check_at_least_one(path: str, app: Source, kind: str) -> Iterator[Finding]:
    key = "instances" if kind == "manual_scaling" else "max_instances"
    section = app.get(kind) or Source({}, 1)
    source, number = section.get(key), _number(section.get(key))
    if source is None:
        yield Finding(path, section.line, "A004", f"{kind} needs {key}")
    elif number is not None and number < 1:
        yield Finding(path, source.line, "A204", f"{key} is {source.value}, it must be 1 or more")


def _check_variables(app: Source) -> Iterator[Finding]:
    sections = [app.get("env_variables"), app.get("build_env_variables")]
    for name, source in (pair for section in sections if section for pair in section.items()):
        if source.value is None:
            yield Finding(source.path, source.line, "A401", f"{name} is null")
        elif source.is_changed:
            yield Finding(source.path, source.line, "A402", f"{name} is not quoted")
        if _RESERVED.fullmatch(name):
            yield Finding(source.path, source.line, "A403", f"{name} is App Engine's to set")


def _check_entrypoint(project: Project, app: Source) -> Iterator[Finding]:
    path, source = project.app_yaml, app.get("entrypoint")
    if source is None:
        if not app.get("main") and not has_app(project.texts.get("main.py", "")):
            yield Finding(path, 1, "A407", "there is no entrypoint, and no `app` in main.py")
        return
    if not isinstance(source.value, str):
        yield Finding(path, source.line, "A404", "entrypoint must be one text")
        return
    yield from _check_command(project, source.line, source.value)


def _check_command(project: Project, line: int, command: str) -> Iterator[Finding]:
    path, gunicorn = project.app_yaml, "gunicorn" in command
    told = _EXPRESSION_OF_PORT.search(command) or (gunicorn and not _binds(command))
    if not told and (gunicorn or not _reads_port(project)):
        yield Finding(path, line, "A405", "the entrypoint does not use $PORT")
    if not gunicorn:
        return
    if "requirements.txt" in project.texts and not requires(project, "gunicorn"):
        yield Finding(path, line, "A406", "the entrypoint runs gunicorn, nothing installs it")
    configured = re.search(r"--threads|--worker-class|\s-k\b|-c\b|--config", command)
    if not configured and not project.has("gunicorn.conf.py"):
        yield Finding(path, line, "A408", "gunicorn serves one request at a time per worker")


def _reads_port(project: Project) -> bool:
    """Whether the app may read $PORT by itself, in Python or in a script that starts it."""
    return any(
        re.search(r"\bPORT\b", text)
        for path, text in project.texts.items()
        if path.endswith((".py", ".sh"))
    )


def _binds(command: str) -> bool:
    return bool(re.search(r"\s(-b|--bind)\b", command))


def _number(source: Source | None) -> float | None:
    """A number that may stand in quotes; None for anything else."""
    if source is None or isinstance(source.value, bool):
        return None
    try:
        return float(source.value)
    except (TypeError, ValueError):
        return None


def _exceeds(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low > high
