"""Property paths: names with dots between them, and the part of an entity that a mask leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gae_pusher.emulator.datastore.messages import Entity, Value
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = ["Mask", "find", "overlay", "parse_mask", "parse_path", "restrict"]

# A mask as a tree of names: None where all that is inside is meant.
Mask = Mapping[str, Any]

# Dots and backslashes in a name are escaped by a backslash.
_NAME: Final = re.compile(r"(?:[^.\\]|\\[.\\])+")


def parse_path(path: str) -> tuple[str, ...]:
    """The names that a path is made of. Raises Refusal for an empty or badly escaped one."""
    names = []
    position = 0
    while True:
        match = _NAME.match(path, position)
        if match is None:
            raise invalid(f"{path!r} is not a property path.")
        names.append(re.sub(r"\\(.)", r"\1", match.group()))
        position = match.end()
        if position == len(path):
            return tuple(names)
        if path[position] != ".":
            raise invalid(f"{path!r} is not a property path.")
        position += 1


def parse_mask(paths: Iterable[str]) -> Mask:
    """The tree of several paths."""
    mask: dict[str, Any] = {}
    for path in paths:
        *parents, last = parse_path(path)
        inner: dict[str, Any] | None = mask
        for name in parents:
            inner = inner.setdefault(name, {}) if inner is not None else None
        if inner is not None:
            inner[last] = None
    return mask


def restrict(entity: Entity, mask: Mask) -> None:
    """Take out of an entity what is not in the mask."""
    for name in list(entity.properties):
        inner = mask.get(name, {})
        value = entity.properties[name]
        if inner is None:
            continue
        if inner and value.WhichOneof("value_type") == "entity_value":
            restrict(value.entity_value, inner)
        else:
            del entity.properties[name]


def overlay(stored: Entity, given: Entity, mask: Mask) -> None:
    """Set in a stored entity what the mask names: to what is given, or to nothing."""
    for name, inner in mask.items():
        if inner is None:
            _copy(stored, given, name)
        else:
            _overlay_inner(stored, given, name, inner)


def _copy(stored: Entity, given: Entity, name: str) -> None:
    if name == "__key__":
        return
    if name in given.properties:
        stored.properties[name].CopyFrom(given.properties[name])
    else:
        stored.properties.pop(name, None)


def _overlay_inner(stored: Entity, given: Entity, name: str, inner: Mask) -> None:
    theirs = given.properties[name].entity_value if name in given.properties else Entity()
    if name not in stored.properties and not theirs.properties:
        return
    mine = stored.properties[name]
    if mine.WhichOneof("value_type") != "entity_value":
        mine.entity_value.SetInParent()
    overlay(mine.entity_value, theirs, inner)


def find(entity: Entity, path: str) -> Value:
    """The value at a path, made if it is not there: it has no type then."""
    *parents, last = parse_path(path)
    for name in parents:
        value = entity.properties[name]
        if value.WhichOneof("value_type") != "entity_value":
            value.entity_value.SetInParent()
        entity = value.entity_value
    return entity.properties[last]
