"""What `gae-pusher dev` is to run, decided from its options and the environment."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gae_pusher.emulator.datastore.google import find
from gae_pusher.emulator.stack import Datastore, Google, NoDatastore, Running, StackPlan
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
        _datastore(arguments.datastore, data.resolve() / "datastore", environ, which),
        _webhook(arguments.webhook),
        PROJECT,
        reload=not arguments.no_reload,
    )


def _datastore(
    choice: str | None,
    data: Path,
    environ: Mapping[str, str],
    which: Callable[[str], str | None],
) -> Datastore:
    """What was asked for must be there; without a wish, what is there is taken."""
    if choice is None and environ.get(EMULATOR_VARIABLE):
        choice = environ[EMULATOR_VARIABLE]
    if choice == "none":
        return NoDatastore()
    if choice not in (None, "google"):
        return Running(_address(choice))
    try:
        return Google(find(which), data)
    except ConfigurationError as error:
        if choice is not None:
            raise
        return NoDatastore(f"no Datastore: {error}")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ConfigurationError(
            f"--datastore is {text!r}, it must be google, none or HOST:PORT such as localhost:8432"
        )
    return text


def _webhook(path: str) -> str | None:
    if path == "none":
        return None
    if not path.startswith("/"):
        raise ConfigurationError(f"--webhook is {path!r}, it must be a path that starts with /")
    return path
