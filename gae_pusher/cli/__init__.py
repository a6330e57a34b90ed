"""The `gae-pusher` command. Each subcommand is one module with `register` and `run`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from gae_pusher.errors import PusherError
from gae_pusher.version import __version__

__all__ = ["main", "parser"]

# In the order of the help. A module imports nothing heavy before its `run`.
COMMANDS: Final = (
    *("dev", "emulators", "trigger", "listen", "channels", "users", "webhooks"),
    "outbox",
    *("check", "deploy", "doctor", "completion"),
)

# The extra that brings a library which a command may lack.
EXTRAS: Final = {
    "aiohttp": "emulators",
    "packaging": "deploy",
    "pathspec": "deploy",
    "yaml": "deploy",
}

_EPILOG: Final = """\
examples:
  gae-pusher dev                            run the app in this folder with all it needs
  gae-pusher listen my-channel              hear what a page would hear
  gae-pusher trigger my-channel my-event hello
  gae-pusher check && gae-pusher deploy     from laptop to cloud
  gae-pusher COMMAND --help                 options and more examples
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: 0 done, 1 failed, 2 wrong usage.

    A failure is one or two lines on stderr, never a traceback.
    """
    try:
        arguments = parser().parse_args(argv)
        code: int = arguments.run(arguments)
    except (PusherError, OSError) as error:
        print(f"gae-pusher: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(  # noqa: T201
            f"gae-pusher: this command needs {error.name}: pip install 'gae-pusher[{extra}]'",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line: every command with its options and its help."""
    whole = _Parser(
        prog="gae-pusher",
        description="The realtime toolkit for Python on Google App Engine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"gae-pusher {__version__}")
    subparsers = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"{__name__}.{name}").register(subparsers)
    return whole


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Two lines: the usage, which argparse would print, can have a dozen."""
        self.exit(2, f"{self.prog}: {message}\nsee {self.prog} --help\n")
