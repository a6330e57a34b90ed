"""The files of an app as values, read once; every rule of `check` is a function of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gae_pusher.deploy.check.includes import merged
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["Project"]


@dataclass(frozen=True, slots=True)
class Project:
    """What would be deployed.

    `texts` holds the configuration, requirement and source files that rules read, by their path
    from the root; `sizes` every file near the surface in bytes; `uploaded` and `git_ignored` are
    subsets of it. `installed` names the folders that a package manager filled, such as virtual
    environments: no text below them is read. `documents` holds the YAML files that could be parsed.
    """

    documents: Mapping[str, Source] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    uploaded: frozenset[str] = frozenset()
    git_ignored: frozenset[str] = frozenset()
    installed: frozenset[str] = frozenset()
    app_yaml: str = "app.yaml"

    @property
    def app(self) -> Source:
        """app.yaml with what it includes, an empty mapping when there is none."""
        if self.app_yaml not in self.documents:
            return Source({}, 1)
        return merged(self.app_yaml, self.documents)

    @property
    def sources(self) -> dict[str, str]:
        """The app's own Python files that are uploaded; this library is not one of them."""
        return {
            path: text
            for path, text in sorted(self.texts.items())
            if path.endswith(".py") and path in self.uploaded and not path.startswith("gae_pusher/")
        }

    def names(self, word: str) -> bool:
        """Whether the app's Python files contain a word."""
        return any(word in text for text in self.sources.values())

    def has(self, path: str) -> bool:
        """Whether a file, or a folder with files in it, stands at this path."""
        name = str(PurePosixPath(path))
        return name in self.sizes or any(other.startswith(name + "/") for other in self.sizes)

    def is_uploaded(self, path: str) -> bool:
        """Whether a file, or something below a folder, would be uploaded."""
        name = str(PurePosixPath(path))
        return name in self.uploaded or any(other.startswith(name + "/") for other in self.uploaded)
