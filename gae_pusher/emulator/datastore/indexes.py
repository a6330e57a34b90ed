"""Indexes: rows of bytes in order, one for each combination of an entity's values.

A row is the ancestor's path if the index has ancestors, the columns, the entity's path and the
path's length. So rows compare by columns and then by key, and a scan is a bisection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import Final, NamedTuple

from sortedcontainers import SortedList

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.encoding import INVERTED
from gae_pusher.emulator.datastore.keys import Path, ancestors
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.values import Columns

__all__ = [
    "KEY",
    "LENGTH_BYTES",
    "Column",
    "Index",
    "IndexSpec",
    "ancestor_prefix",
    "path_of",
    "rows_of",
]

KEY: Final = "__key__"

LENGTH_BYTES: Final = 4
# Below the first byte of every path's element: an ancestor's own row comes before its children's.
_PATH_END: Final = b"\x00"


class Column(NamedTuple):
    """A property in an index, and its direction."""

    property: str
    descending: bool = False


class IndexSpec(NamedTuple):
    """What an index holds: of one kind or, with None, of all; a row for each ancestor or not."""

    kind: str | None
    ancestor: bool
    columns: tuple[Column, ...]


def ancestor_prefix(path: Path) -> bytes:
    """What the rows begin with that an ancestor has in an index with ancestors."""
    return path + _PATH_END


def path_of(row: bytes) -> Path:
    """The path that a row ends with."""
    length = int.from_bytes(row[-LENGTH_BYTES:])
    return row[-LENGTH_BYTES - length : -LENGTH_BYTES]


def rows_of(spec: IndexSpec, path: Path, columns: Columns) -> list[bytes]:
    """The rows of one entity: none when it lacks one of the columns."""
    choices: list[list[bytes]] = []
    if spec.ancestor:
        choices.append([ancestor_prefix(ancestor) for ancestor in ancestors(path)])
    for name, descending in spec.columns:
        values = [path + _PATH_END] if name == KEY else columns.get(name)
        if not values:
            return []
        choices.append([value.translate(INVERTED) for value in values] if descending else values)
    tail = path + len(path).to_bytes(LENGTH_BYTES)
    if not choices:
        return [tail]
    if prod(map(len, choices)) > limits.INDEX_ENTRIES:
        raise invalid(
            f"an entity has more than {limits.INDEX_ENTRIES} rows in the index on "
            f"{', '.join(column.property for column in spec.columns)}: its lists are too long"
        )
    return [b"".join(choice) + tail for choice in product(*choices)]


class Index:
    """The rows of one spec over the entities as they are now."""

    __slots__ = ("_rows", "repeats", "spec")

    def __init__(self, spec: IndexSpec, entities: Iterable[tuple[Path, Columns]]) -> None:
        self.spec = spec
        # Whether an entity has, or has had, several rows below one ancestor.
        self.repeats = False
        self._rows = SortedList(self._all_rows(entities))

    def __len__(self) -> int:
        return len(self._rows)

    def replace(self, path: Path, before: Columns | None, after: Columns | None) -> None:
        """Take out an entity's old rows and put in its new ones; None for no entity."""
        old = set() if before is None else set(rows_of(self.spec, path, before))
        new = set() if after is None else set(self._new_rows(path, after))
        for row in old - new:
            self._rows.remove(row)
        for row in new - old:
            self._rows.add(row)

    def scan(self, low: bytes, high: bytes | None) -> Iterator[bytes]:
        """The rows from `low` on, and below `high` unless it is None."""
        rows: Iterator[bytes] = self._rows.irange(low, high, inclusive=(True, False))
        return rows

    def _all_rows(self, entities: Iterable[tuple[Path, Columns]]) -> Iterator[bytes]:
        for path, columns in entities:
            yield from self._new_rows(path, columns)

    def _new_rows(self, path: Path, columns: Columns) -> list[bytes]:
        self.repeats = self.repeats or any(
            len(columns.get(column.property, ())) > 1 for column in self.spec.columns
        )
        return rows_of(self.spec, path, columns)
