"""How a local Datastore behaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gae_pusher.emulator.datastore.indexes import IndexSpec

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`data` is the file that keeps entities between runs, None for memory.

    `indexes` are those of index.yaml; queries that need another composite index are refused then,
    as in production. With None they are all served, and `suggestions` is a file that is written
    when the server stops: the index.yaml that the queries seen would need. Queries without an
    ancestor see what was stored `query_delay_seconds` ago, for programs that have to live with
    eventual consistency.
    """

    data: Path | None = None
    indexes: tuple[IndexSpec, ...] | None = None
    suggestions: Path | None = None
    query_delay_seconds: float = 0
