"""The Channels app that a command speaks to: from the environment, or from a file of variables."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.pusher import Pusher

__all__ = [
    "add_api_options",
    "add_app_options",
    "configured_pusher",
    "optional_pusher",
    "parse_variables",
]

LOCAL_PORT: Final = 6001
# The built-in app of the local Channels server; these are no secrets.
_LOCAL_URL: Final = f"http://local-key:local-secret@127.0.0.1:{LOCAL_PORT}/apps/4242"
_QUOTES: Final = ("'", '"')


def add_app_options(parser: argparse.ArgumentParser) -> None:
    """How a command is told which app it is about. Secrets have no option: `ps` shows those."""
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="read PUSHER_URL and the like from lines NAME=VALUE, over the environment",
    )
    parser.set_defaults(timeout=None)


def add_api_options(parser: argparse.ArgumentParser) -> None:
    """The same for a command that asks the HTTP API, which may take its time."""
    add_app_options(parser)
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="how long to wait for an answer (5)"
    )


def configured_pusher(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Pusher:
    """The app that PUSHER_URL or PUSHER_APP_ID, PUSHER_KEY and PUSHER_SECRET name.

    Raises ConfigurationError; when nothing is configured and the local server runs, it says how
    to reach that.
    """
    from gae_pusher.pusher import Pusher

    variables = dict(environ)
    if arguments.env_file is not None:
        variables |= parse_variables(arguments.env_file.read_text("utf-8"))
    try:
        return Pusher.from_env(environ=variables, timeout=arguments.timeout)
    except ConfigurationError:
        nothing = not any(name.startswith("PUSHER_") and variables[name] for name in variables)
        if nothing and _listens(LOCAL_PORT):
            raise ConfigurationError(
                "no app is configured. For the local server that runs here:\n"
                f"  export PUSHER_URL={_LOCAL_URL}"
            ) from None
        raise


def optional_pusher(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Pusher | None:
    """The configured app, None where nothing is configured at all.

    Raises ConfigurationError for a configuration that is there and wrong.
    """
    named = any(name.startswith("PUSHER_") and environ[name] for name in environ)
    if arguments.env_file is None and not named:
        return None
    return configured_pusher(arguments, environ)


def parse_variables(text: str) -> dict[str, str]:
    """The variables of a file: NAME=VALUE a line, `export` and quotes allowed, # begins a comment.

    Raises ConfigurationError that names the line, and never what stands in it.
    """
    variables = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigurationError(f"line {number} of the file is not NAME=VALUE")
        variables[name.strip()] = _unquoted(value.strip())
    return variables


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES
    return value[1:-1] if quoted else value


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(0.3)
        return probe.connect_ex(("127.0.0.1", port)) == 0
