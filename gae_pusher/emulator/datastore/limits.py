"""Every documented number of the Datastore, once (its documentation's page "Limits")."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AGGREGATIONS",
    "ANCESTRY",
    "DISJUNCTIONS",
    "ENTITY_BYTES",
    "INDEXED_BYTES",
    "INDEX_ENTRIES",
    "KEYS_PER_ALLOCATION",
    "NAME_BYTES",
    "NEAREST",
    "NESTING",
    "NOT_IN_VALUES",
    "PARTITION_LENGTH",
    "TRANSACTION_IDLE_SECONDS",
    "TRANSACTION_SECONDS",
    "VALUE_BYTES",
    "VECTOR_DIMENSIONS",
]

ENTITY_BYTES: Final = 1_048_572  # 1 MiB - 4 bytes, the serialized entity
INDEXED_BYTES: Final = 1_500  # UTF-8 bytes of a string or blob that is indexed
VALUE_BYTES: Final = 1_048_487  # of one that is not, as Google's emulator says
NAME_BYTES: Final = 1_500  # UTF-8 bytes of a kind, a key's name or a property's name
INDEX_ENTRIES: Final = 20_000  # rows of one entity in one composite index
ANCESTRY: Final = 100  # elements of a key's path
NESTING: Final = 20  # entities within entities
PARTITION_LENGTH: Final = 100  # characters of a namespace
KEYS_PER_ALLOCATION: Final = 500
DISJUNCTIONS: Final = 30  # in disjunctive normal form, which is also the most values of an IN
NOT_IN_VALUES: Final = 10
AGGREGATIONS: Final = 5
NEAREST: Final = 100  # results of a vector search
VECTOR_DIMENSIONS: Final = 2_048
TRANSACTION_IDLE_SECONDS: Final = 60
TRANSACTION_SECONDS: Final = 270
