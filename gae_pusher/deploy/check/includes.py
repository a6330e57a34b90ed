"""What `includes` of app.yaml brings, merged as gcloud merges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from posixpath import normpath

from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["included_paths", "includes_of", "merged", "resolved"]


def resolved(name: str, including: str, exists: Callable[[str], bool]) -> str | None:
    """The path that an entry of `includes` means: from the app's folder, else from the file's own.

    None when there is neither.
    """
    beside = str(PurePosixPath(including).parent / name)
    return next((path for path in map(normpath, (name, beside)) if exists(path)), None)


def includes_of(document: Source, path: str, exists: Callable[[str], bool]) -> list[str]:
    """The paths of the existing files that one file includes itself."""
    section = document.get("includes")
    names = [str(entry.value) for entry in section.entries()] if section else []
    return [found for name in names if (found := resolved(name, path, exists)) is not None]


def included_paths(path: str, documents: Mapping[str, Source]) -> list[str]:
    """The included files, and what those include, each once and in gcloud's order."""
    found: list[str] = []
    _collect(path, documents, found)
    return found


def merged(path: str, documents: Mapping[str, Source]) -> Source:
    """app.yaml with what it includes: there variables win, and handlers come first.

    Only env_variables, handlers and manual_scaling are merged; gcloud refuses or drops the rest.
    """
    app = documents[path]
    parts = [documents[name] for name in included_paths(path, documents)]
    if not parts:
        return app
    sections = {"env_variables": _variables([app, *parts]), "handlers": _handlers(app, parts)}
    sections["manual_scaling"] = _instances([app, *parts])
    more = {key: source for key, source in sections.items() if source is not None}
    return replace(app, value=dict(app.items()) | more)


def _collect(path: str, documents: Mapping[str, Source], found: list[str]) -> None:
    for included in includes_of(documents[path], path, documents.__contains__):
        if included not in found:
            found.append(included)
            _collect(included, documents, found)


def _sections(parts: list[Source], key: str) -> list[Source]:
    return [section for part in parts if (section := part.get(key)) is not None]


def _variables(parts: list[Source]) -> Source | None:
    sections = _sections(parts, "env_variables")
    if not sections:
        return None
    return replace(
        sections[0], value={name: value for section in sections for name, value in section.items()}
    )


def _handlers(app: Source, parts: list[Source]) -> Source | None:
    sections = _sections(parts, "handlers")
    own = app.get("handlers")
    if not sections:
        return own
    brought = [entry for section in sections for entry in section.entries()]
    tail = [entry for entry in brought if entry.plain("position") == "tail"]
    head = [entry for entry in brought if entry not in tail]
    return replace(own or sections[0], value=[*head, *(own.entries() if own else ()), *tail])


def _instances(parts: list[Source]) -> Source | None:
    sections = _sections(parts, "manual_scaling")
    return max(sections, key=_count) if sections else None


def _count(section: Source) -> int:
    count = str(section.plain("instances", 0))
    return int(count) if count.isdecimal() else 0
