"""Rules for the set of files that gcloud would upload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project

__all__ = ["check_upload", "is_secret_file"]

MAX_FILES: Final = 10_000
MAX_FILE_BYTES: Final = 32 * 1024 * 1024

_SECRET_FILES: Final = re.compile(
    r"(^|/)(\.env(\.(?!example|sample|template|dist)[^/]+)?|[^/]*-key\.json|credentials\.json"
    r"|gha-creds-[^/]*\.json)$"
)


def check_upload(project: Project) -> Iterator[Finding]:
    """Findings in the set of files that gcloud would upload."""
    if len(project.uploaded) > MAX_FILES:
        worst = _largest_folders(project.uploaded)
        text = f"{len(project.uploaded)} files, the limit is {MAX_FILES}; most are in {worst}"
        yield Finding(".gcloudignore", 0, "U001", text)
    if ".gcloudignore" not in project.sizes:
        yield Finding(".gcloudignore", 0, "U002", "the file does not exist")
    yield from _check_folders(project)
    below = tuple(f"{folder}/" for folder in project.installed)
    for path in sorted(project.uploaded):
        if path.startswith(below):
            continue
        if is_secret_file(path):
            yield Finding(path, 0, "U003", "this file would be uploaded")
        if project.sizes[path] > MAX_FILE_BYTES:
            yield Finding(path, 0, "U006", f"{project.sizes[path] // 1024 // 1024} MB")
    ignored = sorted(project.uploaded & project.git_ignored)
    if ignored:
        text = f"{len(ignored)} files that git ignores, {ignored[0]} for one"
        yield Finding(".gcloudignore", 0, "U005", text)


def _check_folders(project: Project) -> Iterator[Finding]:
    for folder in sorted(project.installed):
        count = sum(path.startswith(folder + "/") for path in project.uploaded)
        if count:
            yield Finding(folder, 0, "U004", f"{count} files of it would be uploaded")


def is_secret_file(path: str) -> bool:
    """Whether a file is one of those that hold secrets by their name."""
    return bool(_SECRET_FILES.search(path))


def _largest_folders(paths: frozenset[str]) -> str:
    counts: dict[str, int] = {}
    for path in paths:
        top = path.partition("/")[0]
        counts[top] = counts.get(top, 0) + 1
    most = sorted(counts, key=lambda name: -counts[name])[:3]
    return ", ".join(f"{name} ({counts[name]})" for name in most)
