"""YAML that remembers its lines, so that a finding can say where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["Source", "YamlProblem", "parse"]


class YamlProblem(Exception):
    """The text is not YAML, or repeats a key; `line` counts from 1."""

    def __init__(self, message: str, line: int, *, duplicate: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.duplicate = duplicate


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML value and its place: a scalar, a dict of str to Source, or a list of Source.

    `text` is a scalar as it is written, which is not always what YAML makes of it; `path` is the
    file that it stands in.
    """

    value: Any
    line: int
    text: str | None = None
    path: str = "app.yaml"

    @property
    def is_changed(self) -> bool:
        """Whether the text of this scalar is another one than what is written: no, 010, 1.10."""
        return None not in (self.text, self.value) and str(self.value) != self.text

    def get(self, key: str) -> Source | None:
        """The value of a key, None when this is no mapping or has no such key."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, Source]]:
        """The entries of a mapping; none for anything else."""
        return iter(self.value.items() if isinstance(self.value, dict) else ())

    def entries(self) -> list[Source]:
        """The entries of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def plain(self, key: str, default: Any = None) -> Any:
        """The bare value of a key."""
        found = self.get(key)
        return default if found is None else found.value


def parse(text: str, path: str = "app.yaml") -> Source:
    """The document in a text; an empty one is an empty mapping. Raises YamlProblem."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return Source({}, 1, path=path) if node is None else _source(loader, node, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(error.problem or "is not YAML", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise YamlProblem(str(error).splitlines()[0], 1) from None


def _source(loader: yaml.SafeLoader, node: Node, path: str) -> Source:
    line = node.start_mark.line + 1
    if isinstance(node, MappingNode):
        return Source(_mapping(loader, node, path), line, path=path)
    if isinstance(node, SequenceNode):
        return Source([_source(loader, child, path) for child in node.value], line, path=path)
    assert isinstance(node, ScalarNode)
    return Source(loader.construct_object(node), line, node.value, path)


def _mapping(loader: yaml.SafeLoader, node: MappingNode, path: str) -> dict[str, Source]:
    mapping: dict[str, Source] = {}
    for key_node, value_node in node.value:
        key = str(getattr(key_node, "value", ""))
        if key in mapping:
            line = key_node.start_mark.line + 1
            raise YamlProblem(f"the key {key!r} stands twice", line, duplicate=True)
        value = _source(loader, value_node, path)
        mapping[key] = replace(value, line=key_node.start_mark.line + 1)
    return mapping
