"""Keys: what makes one valid, and their paths as bytes that compare as keys are ordered."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.encoding import Reader, encode_bytes, encode_integer
from gae_pusher.emulator.datastore.messages import Key
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = [
    "Partition",
    "Path",
    "ancestors",
    "check_complete",
    "check_key",
    "check_name",
    "check_namespace",
    "check_partition",
    "decode_key",
    "encode_path",
    "is_complete",
    "is_reserved",
    "kind_of",
    "show_key",
]

# A path as bytes: for each element the kind, then an id (they come first) or a name. A descendant's
# path begins with its ancestors' paths, and no other does.
Path = bytes

_ELEMENT: Final = b"\x02"
_ID: Final = b"\x01"
_NAME: Final = b"\x02"
_NAMESPACE: Final = re.compile(r"[0-9A-Za-z._-]{0,100}")


class Partition(NamedTuple):
    """Where an entity is kept; "" is the default database and the default namespace."""

    project: str
    database: str
    namespace: str


def is_reserved(name: str) -> bool:
    """Whether a kind, name or property begins and ends with two underscores."""
    return len(name) >= 4 and name.startswith("__") and name.endswith("__")


def check_partition(key: Key, project: str, database: str) -> None:
    """Raises Refusal when a key in a request to a database is one of another."""
    theirs = key.partition_id
    if theirs.project_id and theirs.project_id != project:
        raise invalid(
            f"mismatched projects within request: {theirs.project_id!r} in a key, "
            f"{project!r} in the request"
        )
    if theirs.database_id and theirs.database_id != database:
        raise invalid(
            f"mismatched databases within request: {theirs.database_id!r} in a key, "
            f"{database!r} in the request"
        )
    if theirs.namespace_id:
        check_namespace(theirs.namespace_id)


def check_namespace(namespace: str) -> None:
    """Raises Refusal when a namespace is too long or has other characters than are allowed."""
    if not _NAMESPACE.fullmatch(namespace):
        raise invalid(
            f'Illegal string "{namespace[:120]}" in namespace id. '
            f"It must match [0-9A-Za-z._-]{{0,{limits.PARTITION_LENGTH}}}."
        )


def is_complete(key: Key) -> bool:
    """Whether the last element has an id or a name."""
    return bool(key.path) and key.path[-1].WhichOneof("id_type") is not None


def check_complete(key: Key) -> None:
    """Raises Refusal when the key has no id and no name."""
    check_key(key)
    if not is_complete(key):
        raise invalid(f"Key path element must not be incomplete: {show_key(key)}")


def check_key(key: Key, *, writing: bool = False) -> None:
    """Raises Refusal unless the path is a path; its last element may lack an id.

    Reserved kinds and names may be read, and not be written.
    """
    path = key.path
    if not path:
        raise invalid("Key path is empty.")
    if len(path) > limits.ANCESTRY:
        raise invalid(f"Key path is too long. Cannot exceed {limits.ANCESTRY} elements.")
    last = len(path) - 1
    for position, element in enumerate(path):
        which = element.WhichOneof("id_type")
        if which is None and position != last:
            raise invalid(f"Key path element must not be incomplete: {show_key(key)}")
        if which == "id" and element.id == 0:
            raise invalid("Key path id is invalid. Must not be zero.")
        check_name("kind", element.kind, writing)
        if which == "name":
            check_name("key path element name", element.name, writing)


def check_name(what: str, name: str, writing: bool) -> None:
    """Raises Refusal for a kind, a key's name or a property's name that is not allowed."""
    if not name:
        raise invalid(f"The {what} is the empty string.")
    if len(name) > limits.NAME_BYTES or len(name.encode()) > limits.NAME_BYTES:
        raise invalid(f"The {what} is longer than {limits.NAME_BYTES} bytes.")
    if writing and is_reserved(name):
        raise invalid(f'The {what} "{name}" is reserved.')


def show_key(key: Key) -> str:
    """A key for people, as Google's messages have it."""
    shown = (f"{element.kind}: {element.id or element.name}" for element in key.path)
    return f"[{', '.join(shown)}]"


def encode_path(key: Key) -> Path:
    """The path of a complete key as bytes."""
    parts: list[bytes] = []
    for element in key.path:
        parts += (_ELEMENT, encode_bytes(element.kind.encode()))
        if element.WhichOneof("id_type") == "name":
            parts += (_NAME, encode_bytes(element.name.encode()))
        else:
            parts += (_ID, encode_integer(element.id))
    return b"".join(parts)


def _elements(path: Path) -> list[tuple[bytes, int | bytes, int]]:
    """Kind, id or name, and where the element ends."""
    reader = Reader(path)
    elements: list[tuple[bytes, int | bytes, int]] = []
    while reader.position < len(path):
        reader.take(1)
        kind = reader.read_bytes()
        value = reader.read_integer() if reader.take(1) == _ID else reader.read_bytes()
        elements.append((kind, value, reader.position))
    return elements


def ancestors(path: Path) -> list[Path]:
    """The paths of the entity's ancestors and its own, the root's first."""
    return [path[:end] for _, _, end in _elements(path)]


def kind_of(path: Path) -> str:
    """The kind of the last element."""
    return _elements(path)[-1][0].decode()


def decode_key(path: Path, partition: Partition) -> Key:
    """The key that was encoded, in a partition."""
    key = Key()
    key.partition_id.project_id = partition.project
    key.partition_id.database_id = partition.database
    key.partition_id.namespace_id = partition.namespace
    for kind, value, _ in _elements(path):
        if isinstance(value, int):
            key.path.append(Key.PathElement(kind=kind.decode(), id=value))
        else:
            key.path.append(Key.PathElement(kind=kind.decode(), name=value.decode()))
    return key
