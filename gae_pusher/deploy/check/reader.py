"""Reads an app's folder into a Project: the one part of `check` that touches the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.yaml_source import Source, YamlProblem, parse

__all__ = ["DEFAULT_GCLOUDIGNORE", "read_project"]

# What gcloud applies to a Python app, and writes into the folder, when there is no .gcloudignore.
DEFAULT_GCLOUDIGNORE: Final = ".gcloudignore\n.git\n.gitignore\n__pycache__/\n/setup.cfg\n"

_YAML: Final = ("cron.yaml", "queue.yaml", "dispatch.yaml", "index.yaml")
_INCLUDE: Final = "#!include:"
_TEXT_SUFFIXES: Final = frozenset(
    {
        ".py",
        ".yaml",
        ".yml",
        ".txt",
        ".toml",
        ".cfg",
        ".ini",
        ".json",
        ".env",
        ".sh",
        ".js",
        ".html",
    }
)
_INSTALLED: Final = frozenset({"node_modules", ".tox", ".mypy_cache", ".pytest_cache", ".git"})
_MAX_TEXT_BYTES: Final = 1_000_000


def read_project(root: Path, app_yaml: str = "app.yaml") -> tuple[Project, list[Finding]]:
    """The project below `root`, and the findings for files that could not be read as YAML."""
    ignore = _spec(_gcloudignore(root))
    sizes, uploaded = _walk(root, ignore)
    installed = _installed(sizes)
    git_ignore = _spec(_text(root / ".gitignore"))
    below = tuple(f"{folder}/" for folder in installed)
    read = [path for path in sorted(uploaded) if not path.startswith(below)]
    texts = {path: _text(root / path) for path in read if _is_read(path, sizes[path])}
    texts |= {path: _text(root / path) for path in (app_yaml, *_YAML) if path in sizes}
    documents, findings = _documents(
        {path: texts[path] for path in (app_yaml, *_YAML) if path in texts}
    )
    if app_yaml not in sizes:
        findings.append(Finding(app_yaml, 0, "A001", f"{app_yaml} does not exist"))
    git_ignored = frozenset(path for path in uploaded if git_ignore.match_file(path))
    project = Project(
        documents, texts, sizes, frozenset(uploaded), git_ignored, installed, app_yaml
    )
    return project, findings


def _gcloudignore(root: Path) -> str:
    path = root / ".gcloudignore"
    text = _text(path) if path.exists() else DEFAULT_GCLOUDIGNORE
    lines = []
    for line in text.splitlines():
        included = line.strip().removeprefix(_INCLUDE) if _INCLUDE in line else ""
        lines.append(_text(root / included) if included else line)
    return "\n".join(lines)


def _spec(text: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(text.splitlines())


def _walk(root: Path, ignore: GitIgnoreSpec) -> tuple[dict[str, int], set[str]]:
    """Sizes of the files near the surface, and which ones are uploaded.

    An ignored folder is not entered: no rule needs to know what is in it.
    """
    sizes: dict[str, int] = {}
    uploaded: set[str] = set()
    for folder, folders, files in os.walk(root):
        below = Path(folder).relative_to(root).as_posix()
        prefix = "" if below == "." else below + "/"
        folders[:] = [name for name in folders if not ignore.match_file(f"{prefix}{name}/")]
        for name in files:
            path = prefix + name
            sizes[path] = (Path(folder) / name).lstat().st_size
            if not ignore.match_file(path):
                uploaded.add(path)
    return sizes, uploaded


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
    return size <= _MAX_TEXT_BYTES and Path(path).suffix in _TEXT_SUFFIXES


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _documents(texts: dict[str, str]) -> tuple[dict[str, Source], list[Finding]]:
    documents: dict[str, Source] = {}
    findings: list[Finding] = []
    for path, text in texts.items():
        try:
            documents[path] = parse(text)
        except YamlProblem as problem:
            code = "A009" if problem.duplicate else "A002"
            findings.append(Finding(path, problem.line, code, str(problem)))
    return documents, findings
