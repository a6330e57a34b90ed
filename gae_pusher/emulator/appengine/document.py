"""YAML that remembers its lines, so that an error can say where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from gae_pusher.errors import ConfigurationError

__all__ = ["Section", "read"]


def read(text: str, name: str, least: str = "runtime: python313") -> Section:
    """The top of a YAML file; `name` is what errors call the file, `least` what it must have.

    Raises ConfigurationError with file and line when it is no YAML, or no mapping.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(_where(error, name)) from None
    if node is None:
        raise ConfigurationError(f"{name} is empty: it needs at least `{least}`")
    return Section(node, name)


class Section:
    """One mapping of a YAML file, asked for its keys by the type that they must have.

    Every method raises ConfigurationError that names file and line. An absent key gives None,
    or nothing to walk through.
    """

    def __init__(self, node: yaml.Node, name: str) -> None:
        self._node = node
        self._name = name
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, "expected `key: value` lines here")
        self._values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in self._values:
                self._fail(key, f"{key.value} stands here a second time: keep one")
            self._values[key.value] = value

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def fail(self, key: str | None, problem: str) -> NoReturn:
        """Raise an error about a key, or about the whole section."""
        self._fail(self._values.get(key or "", self._node), problem)

    def text(self, key: str) -> str | None:
        """A scalar as it was written."""
        node = self._values.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{key} must be one value, not a list or a mapping")
        return str(node.value)

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """A scalar that must be one of `choices`."""
        value = self.text(key)
        if value is not None and value not in choices:
            self.fail(key, f"{key} is {value!r}, it must be {' or '.join(choices)}")
        return value

    def flag(self, key: str) -> bool:
        """A true or false; absent is false."""
        node = self._values.get(key)
        value = None if node is None else self._scalar(key, node)
        if value not in (None, True, False):
            self.fail(key, f"{key} is {value!r}, it must be true or false")
        return bool(value)

    def texts(self, key: str) -> list[str]:
        """A list of scalars, as they were written."""
        return [str(node.value) for node in self._items(key) if self._is_text(key, node)]

    def sections(self, key: str) -> list[Section]:
        """A list of mappings."""
        return [Section(node, self._name) for node in self._items(key)]

    def section(self, key: str) -> Section | None:
        """A mapping."""
        node = self._values.get(key)
        return None if node is None or _is_null(node) else Section(node, self._name)

    def scalar(self, key: str) -> Any:
        """A scalar as the Python value that YAML makes of it: 1, 1.5, True, None, a str."""
        return self._scalar(key, self._values[key])

    def _scalar(self, key: str, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{key} must be one value, not a list or a mapping")
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._fail(node, f"{key} is {node.value!r}, which YAML cannot read: quote it")

    def _items(self, key: str) -> list[yaml.Node]:
        node = self._values.get(key)
        if node is None or _is_null(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fail(node, f"{key} must be a list: lines that start with `- `")
        return list(node.value)

    def _is_text(self, key: str, node: yaml.Node) -> bool:
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{key} must be a list of plain values")
        return True

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise ConfigurationError(f"{self._name}:{node.start_mark.line + 1}: {problem}")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _where(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{name}:{mark.line + 1}: {problem}" if mark else f"{name}: {problem}"
