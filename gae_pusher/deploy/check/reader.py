"""Reads an app's folder into a Project: the one part of `check` that touches the disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.ignore import Ignore, MissingInclude
from gae_pusher.deploy.check.includes import includes_of
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.yaml_source import Source, YamlProblem, parse

__all__ = ["DEFAULT_GCLOUDIGNORE", "read_project"]

# What gcloud applies to a Python app, and writes into the folder, when there is no .gcloudignore.
DEFAULT_GCLOUDIGNORE: Final = ".gcloudignore\n.git\n.gitignore\n__pycache__/\n/setup.cfg\n"

_YAML: Final = ("cron.yaml", "queue.yaml", "dispatch.yaml", "index.yaml")
_GCLOUDIGNORE: Final = ".gcloudignore"
_GIT_SECONDS: Final = 10
# What holds no text by its name; anything else is read, because a secret may stand anywhere.
_BINARY_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico", ".bmp", ".tif", ".tiff", ".psd"}
    | {".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".ogg", ".wav", ".webm", ".mov"}
    | {".pdf", ".zip", ".gz", ".bz2", ".xz", ".tar", ".whl", ".jar", ".so", ".pyc", ".wasm", ".mo"}
)
_INSTALLED: Final = frozenset({"node_modules", ".tox", ".mypy_cache", ".pytest_cache", ".git"})
_MAX_TEXT_BYTES: Final = 1_000_000


def read_project(root: Path, app_yaml: str = "app.yaml") -> tuple[Project, list[Finding]]:
    """The project below `root`, and the findings for files that could not be read."""
    ignore, findings = _gcloudignore(root)
    sizes = dict(_walk(root, ignore))
    uploaded = frozenset(path for path in sizes if not ignore.ignores(path))
    installed = _installed(sizes)
    below = tuple(f"{folder}/" for folder in installed)
    read = [path for path in sorted(uploaded) if not path.startswith(below)]
    texts = {path: _text(root / path) for path in read if _is_read(path, sizes[path])}
    documents, unparsable = _documents(root, app_yaml, sizes, texts)
    if app_yaml not in sizes:
        findings.append(Finding(app_yaml, 0, "A001", f"{app_yaml} does not exist"))
    project = Project(
        documents, texts, sizes, uploaded, _git_ignored(root, uploaded), installed, app_yaml
    )
    return project, findings + unparsable


def _gcloudignore(root: Path) -> tuple[Ignore, list[Finding]]:
    path = root / _GCLOUDIGNORE
    text = _text(path) if path.exists() else DEFAULT_GCLOUDIGNORE

    def read(name: str) -> str | None:
        beside = root / name
        return _text(beside) if beside.is_file() else None

    try:
        return Ignore(text, read), []
    except MissingInclude as missing:
        finding = Finding(_GCLOUDIGNORE, 0, "U007", f"{missing} does not exist")
        return Ignore(text, lambda name: ""), [finding]


def _walk(root: Path, ignore: Ignore) -> Iterator[tuple[str, int]]:
    """The files near the surface with their sizes, symbolic links followed as gcloud does.

    An ignored folder is not entered: no rule needs to know what is in it.
    """
    entered: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        below = os.path.relpath(folder, root)
        prefix = "" if below == "." else below + "/"
        folders[:] = [
            name
            for name in folders
            if not ignore.ignores(prefix + name, folder=True)
            and not _returns(os.path.join(folder, name), entered)
        ]
        for name in names:
            yield prefix + name, _size(os.path.join(folder, name))


def _returns(folder: str, entered: set[str]) -> bool:
    """Whether a symbolic link leads to a folder around it, or to one that was entered before."""
    if not os.path.islink(folder):
        return False
    real = os.path.realpath(folder)
    if real in entered or os.path.realpath(os.path.dirname(folder)).startswith(real):
        return True
    entered.add(real)
    return False


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _git_ignored(root: Path, uploaded: frozenset[str]) -> frozenset[str]:
    """The files that git ignores, as git says, or else as the .gitignore beside them says.

    What comes back after an #!include:.gitignore was asked for in so many words.
    """
    text = _text(root / ".gitignore")
    patterns = Ignore(text)
    listed = _listed_by_git(root)
    if listed is None:
        ignored = {path for path in uploaded if patterns.ignores_below(path)}
    else:
        folders = tuple(path for path in listed if path.endswith("/"))
        ignored = {path for path in uploaded if path in listed or path.startswith(folders)}
    if "!include:.gitignore" in _text(root / _GCLOUDIGNORE):
        ignored = {path for path in ignored if not patterns.ignores_below(path)}
    return frozenset(ignored)


def _listed_by_git(root: Path) -> frozenset[str] | None:
    """Ignored files and folders (with a slash at the end); None when git cannot tell."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--others", "--ignored"]
    try:
        answer = subprocess.run(
            [*command, "--exclude-standard", "--directory"],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    listed = frozenset(filter(None, answer.stdout.split("\0")))
    # Git may ignore this whole folder, which then is no clone of its own.
    return None if "./" in listed else listed


def _installed(sizes: dict[str, int]) -> frozenset[str]:
    """The outermost folders that hold installed packages or a tool's cache."""
    folders = {path.removesuffix("/pyvenv.cfg") for path in sizes if path.endswith("/pyvenv.cfg")}
    for path in sizes:
        parts = path.split("/")[:-1]
        marked = next((index for index, part in enumerate(parts) if part in _INSTALLED), None)
        if marked is not None:
            folders.add("/".join(parts[: marked + 1]))
    return frozenset(folders)


def _is_read(path: str, size: int) -> bool:
    return size <= _MAX_TEXT_BYTES and Path(path).suffix.lower() not in _BINARY_SUFFIXES


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _documents(
    root: Path, app_yaml: str, sizes: dict[str, int], texts: dict[str, str]
) -> tuple[dict[str, Source], list[Finding]]:
    """The YAML files, those that app.yaml includes too; `sizes` and `texts` learn about them."""
    documents: dict[str, Source] = {}
    findings: list[Finding] = []
    waiting = [path for path in (app_yaml, *_YAML) if path in sizes]
    for path in waiting:
        texts[path] = _text(root / path)
        sizes.setdefault(path, len(texts[path]))
        try:
            documents[path] = parse(texts[path], path)
        except YamlProblem as problem:
            code = "A009" if problem.duplicate else "A002"
            findings.append(Finding(path, problem.line, code, str(problem)))
            continue
        if path not in _YAML:
            included = includes_of(documents[path], path, lambda name: (root / name).is_file())
            waiting += [name for name in included if name not in waiting]
    return documents, findings
