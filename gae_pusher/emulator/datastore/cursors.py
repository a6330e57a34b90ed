"""Cursors: a place among the results of a query, as bytes that a client keeps."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from gae_pusher.emulator.datastore.indexes import LENGTH_BYTES, Column, path_of
from gae_pusher.emulator.datastore.plan import Plan
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.rows import Position, ascending, split

__all__ = ["Cursors"]

_FORMAT: Final = 1
_DIGEST_BYTES: Final = 4


class Cursors:
    """The cursors of one plan. They also fit the plan that has directions turned round."""

    def __init__(self, plan: Plan) -> None:
        self._columns = plan.columns
        names = "\0".join(column.property for column in plan.columns)
        what = f"{plan.partition.namespace}\0{plan.kind}\0{names}"
        self._digest = bytes((_FORMAT,)) + crc32(what.encode()).to_bytes(_DIGEST_BYTES)
        self._directions = bytes(column.descending for column in plan.columns)
        self._head = self._digest + self._directions

    def after(self, sort_key: bytes) -> bytes:
        """The cursor behind a result."""
        return self._head + sort_key

    def position(self, cursor: bytes) -> Position:
        """The place a cursor stands for. Raises Refusal when it is from another query."""
        if cursor[:1] != self._digest[:1] or len(cursor) < len(self._head):
            raise invalid("The cursor is not one that this server has made.")
        if not cursor.startswith(self._digest):
            raise invalid("cursor does not match query")
        directions = cursor[len(self._digest) : len(self._head)]
        sort_key = cursor[len(self._head) :]
        try:
            return Position(self._turned(sort_key, directions), directions == self._directions)
        except (ValueError, IndexError) as error:
            raise invalid("The cursor is damaged.") from error

    def _turned(self, sort_key: bytes, directions: bytes) -> bytes:
        """A sort key of a plan with other directions as one of this plan."""
        theirs = tuple(
            Column(column.property, bool(descending))
            for column, descending in zip(self._columns, directions, strict=True)
        )
        values = split(sort_key, theirs)
        rest = sort_key[sum(map(len, values)) :]
        if len(path_of(rest)) + LENGTH_BYTES != len(rest):
            raise ValueError("no path at the end")
        plain = map(ascending, values, theirs)
        return b"".join(map(ascending, plain, self._columns)) + rest
