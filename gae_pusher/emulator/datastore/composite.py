"""Composite indexes: what a query needs in production, declared in index.yaml or suggested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import yaml

from gae_pusher.emulator.datastore.indexes import KEY, Column, IndexSpec
from gae_pusher.emulator.datastore.plan import Plan, Scan
from gae_pusher.emulator.datastore.refusals import Code, Refusal
from gae_pusher.errors import ConfigurationError

__all__ = ["CompositeIndexes", "parse_index_yaml", "render_index_yaml"]

_DIRECTIONS: Final = {"asc": False, "desc": True}


class _Need(NamedTuple):
    """An index that serves a query: the first `equal` columns in any order and direction."""

    spec: IndexSpec
    equal: int

    def served_by(self, declared: IndexSpec) -> bool:
        if declared[:2] != self.spec[:2] or len(declared.columns) != len(self.spec.columns):
            return False
        mine, theirs = self.spec.columns, declared.columns
        names = {column.property for column in mine[: self.equal]}
        return names == {column.property for column in theirs[: self.equal]} and (
            mine[self.equal :] == theirs[self.equal :]
        )


class CompositeIndexes:
    """What index.yaml declares, or None where every query is served, and what queries needed."""

    def __init__(self, declared: Iterable[IndexSpec] | None = None) -> None:
        self._declared = None if declared is None else frozenset(declared)
        self.needed: dict[IndexSpec, None] = {}

    def check(self, plan: Plan) -> None:
        """Take a query's needs down. Raises Refusal when they are not declared but have to be."""
        for scan in plan.scans:
            need = _need(scan)
            if need is None:
                continue
            self.needed.setdefault(need.spec)
            if self._declared is not None and not any(map(need.served_by, self._declared)):
                raise Refusal(
                    Code.FAILED_PRECONDITION,
                    "no matching index found. recommended index is:\n" + _entry_yaml([need.spec]),
                )

    def suggestion(self) -> str:
        """The index.yaml that all queries so far need; "" when they need none."""
        return render_index_yaml(self.needed) if self.needed else ""


def _need(scan: Scan) -> _Need | None:
    """None where the indexes that every property has, or several of them together, are enough."""
    if len(scan.sources) > 1:
        return None
    ((spec, _),) = scan.sources
    # An index has a property once, also where a filter has it equal to a value and in a range.
    own = {column.property for column in scan.own_columns}
    leading = spec.columns[: len(spec.columns) - len(own)]
    equal = tuple(column for column in leading if column.property not in own)
    spec = spec._replace(columns=equal + scan.own_columns)
    if spec.kind is None or len(spec.columns) + spec.ancestor < 2:
        return _Need(spec, 0) if spec.columns == (Column(KEY, True),) else None
    return _Need(spec, len(equal))


def parse_index_yaml(text: str) -> list[IndexSpec]:
    """The indexes of an index.yaml. Raises ConfigurationError that says what is wrong."""
    try:
        found = yaml.safe_load(text) or {}
        return [_spec(entry) for entry in found.get("indexes") or []]
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
    except KeyError as error:
        told = f"an index lacks {error}"
    except (AttributeError, TypeError):
        told = "it must have a list under `indexes:`, of mappings with kind and properties"
    except ValueError as error:
        told = str(error)
    raise ConfigurationError(f"index.yaml cannot be read: {told}")


def _spec(entry: dict[str, Any]) -> IndexSpec:
    columns = []
    for described in entry["properties"]:
        direction = str(described.get("direction", "asc"))
        if direction not in _DIRECTIONS:
            raise ValueError(f"direction is asc or desc, not {direction!r}")
        columns.append(Column(str(described["name"]), _DIRECTIONS[direction]))
    # YAML 1.1 reads yes and no as booleans, but quoted they are text.
    ancestor = entry.get("ancestor", False) in (True, "yes", "true")
    return IndexSpec(str(entry["kind"]), ancestor, tuple(columns))


def render_index_yaml(specs: Iterable[IndexSpec]) -> str:
    """An index.yaml with these indexes, sorted, so that it changes no more than it must."""
    return "indexes:\n\n" + _entry_yaml(sorted(specs, key=repr))


def _entry_yaml(specs: Iterable[IndexSpec]) -> str:
    entries = []
    for spec in specs:
        entry: dict[str, Any] = {"kind": spec.kind}
        if spec.ancestor:
            entry["ancestor"] = True
        entry["properties"] = [
            {"name": name, "direction": "desc"} if descending else {"name": name}
            for name, descending in spec.columns
        ]
        entries.append(yaml.safe_dump([entry], sort_keys=False, allow_unicode=True))
    return "\n".join(entries)
