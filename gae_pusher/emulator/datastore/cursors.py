"""Cursors: a place among the results of a query, as bytes that a client keeps."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from gae_pusher.emulator.datastore.indexes import path_of
from gae_pusher.emulator.datastore.plan import Plan
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.rows import Position, ascending, split

__all__ = ["Cursors"]

_FORMAT: Final = 1
_DIGEST_BYTES: Final = 4


class Cursors:
    """The cursors of one plan. They also fit the plan that has all directions turned round."""

    def __init__(self, plan: Plan) -> None:
        self._columns = plan.columns
        names = "\0".join(column.property for column in plan.columns)
        what = f"{plan.partition.namespace}\0{plan.kind}\0{names}"
        self._descends = any(column.descending for column in plan.columns)
        direction = bool(plan.columns) and plan.columns[0].descending
        digest = crc32(what.encode()).to_bytes(_DIGEST_BYTES)
        self._head = bytes((_FORMAT, direction)) + digest

    def after(self, sort_key: bytes) -> bytes:
        """The cursor behind a result."""
        return self._head + self._turned(sort_key)

    def position(self, cursor: bytes) -> Position:
        """The place a cursor stands for. Raises Refusal when it is from another query."""
        head, values = cursor[: len(self._head)], cursor[len(self._head) :]
        if len(head) < len(self._head) or head[0] != _FORMAT or head[1] > 1:
            raise invalid("The cursor is not one that this server has made.")
        if head[2:] != self._head[2:]:
            raise invalid("cursor does not match query")
        try:
            return Position(self._sort_key(values), after=head[1] == self._head[1])
        except (ValueError, IndexError) as error:
            raise invalid("The cursor is damaged.") from error

    def _turned(self, sort_key: bytes) -> bytes:
        """With all columns ascending, so that a cursor does not depend on directions."""
        if not self._descends:
            return sort_key
        values = split(sort_key, self._columns)
        rest = sort_key[sum(map(len, values)) :]
        return b"".join(map(ascending, values, self._columns)) + rest

    def _sort_key(self, values: bytes) -> bytes:
        plain = tuple(column._replace(descending=False) for column in self._columns)
        found = split(values, plain)
        rest = values[sum(map(len, found)) :]
        if len(path_of(rest)) + 4 != len(rest):
            raise ValueError("no path at the end")
        return b"".join(map(ascending, found, self._columns)) + rest
