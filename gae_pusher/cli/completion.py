"""`gae-pusher completion`: the script that lets a shell complete this command."""

from __future__ import annotations

import argparse
from typing import Final

from gae_pusher.errors import ConfigurationError

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher completion bash > ~/.local/share/bash-completion/completions/gae-pusher
  gae-pusher completion zsh > ~/.zfunc/_gae-pusher     with fpath+=~/.zfunc in .zshrc
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "completion",
        help="print a shell's completion script",
        description="Print the script with which a shell completes commands and options.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script; returns 0. Raises ConfigurationError without the library shtab."""
    from gae_pusher.cli import parser

    try:
        import shtab
    except ImportError as error:
        raise ConfigurationError(
            "completion needs shtab: pip install 'gae-pusher[completion]'"
        ) from error
    print(shtab.complete(parser(), arguments.shell))  # noqa: T201
    return 0
