"""What `gae-pusher dev` is to run, decided from its options and the environment."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gae_pusher.emulator.datastore.composite import parse_index_yaml
from gae_pusher.emulator.datastore.google import find
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.emulator.stack import Datastore, Embedded, Google, NoDatastore, Running, StackPlan
from gae_pusher.errors import ConfigurationError

__all__ = ["PROJECT", "plan"]

# Names that start with demo- are no real project, so nothing local can reach one by mistake.
PROJECT: Final = "demo-local"
DATA_DIRECTORY: Final = ".gae_pusher"
EMULATOR_VARIABLE: Final = "DATASTORE_EMULATOR_HOST"

_ADDRESS: Final = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


def plan(
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    which: Callable[[str], str | None],
) -> StackPlan:
    """Decide what to run; `which` finds programs. Raises ConfigurationError."""
    directory = arguments.directory
    if not directory.is_dir():
        raise ConfigurationError(f"{directory} is no folder: name the one with your app.yaml")
    data = arguments.data or directory / DATA_DIRECTORY
    return StackPlan(
        directory.resolve(),
        arguments.host,
        arguments.port,
        arguments.channels_port,
        _datastore(arguments, data.resolve(), environ, which),
        _webhook(arguments.webhook),
        PROJECT,
        reload=not arguments.no_reload,
    )


def _datastore(
    arguments: argparse.Namespace,
    data: Path,
    environ: Mapping[str, str],
    which: Callable[[str], str | None],
) -> Datastore:
    """What was asked for must be there; without a wish, one that runs is preferred to ours."""
    choice = arguments.datastore or environ.get(EMULATOR_VARIABLE) or "embedded"
    match choice:
        case "embedded":
            return _embedded(arguments, data)
        case "google":
            return Google(find(which), data / "datastore")
        case "none":
            return NoDatastore()
    return Running(_address(choice))


def _embedded(arguments: argparse.Namespace, data: Path) -> Embedded:
    indexes = None
    if arguments.require_indexes:
        declared = arguments.directory / "index.yaml"
        if not declared.is_file():
            raise ConfigurationError(f"--require-indexes needs an index.yaml, {declared} is none")
        indexes = tuple(parse_index_yaml(declared.read_text("utf-8")))
    file, suggestions = data / "datastore.sqlite3", data / "suggested-index.yaml"
    return Embedded(Settings(file, indexes, suggestions if indexes is None else None))


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ConfigurationError(
            f"--datastore is {text!r}, it must be embedded, google, none "
            "or HOST:PORT such as localhost:8432"
        )
    return text


def _webhook(path: str) -> str | None:
    if path == "none":
        return None
    if not path.startswith("/"):
        raise ConfigurationError(f"--webhook is {path!r}, it must be a path that starts with /")
    return path
