"""`gae-pusher completion`: the script that lets a shell complete this command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from gae_pusher.cli.fish import fish_script, takes_files
from gae_pusher.errors import ConfigurationError

__all__ = ["register", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher completion bash > ~/.local/share/bash-completion/completions/gae-pusher
  gae-pusher completion zsh > ~/.zfunc/_gae-pusher     with fpath+=~/.zfunc in .zshrc
  gae-pusher completion fish > ~/.config/fish/completions/gae-pusher.fish
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
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script; returns 0. Raises ConfigurationError where it needs shtab and lacks it."""
    from gae_pusher.cli import parser

    if arguments.shell == "fish":
        print(fish_script(parser()), end="")  # noqa: T201
        return 0
    try:
        import shtab
    except ImportError as error:
        raise ConfigurationError(
            "completion needs shtab: pip install 'gae-pusher[completion]'"
        ) from error
    whole = parser()
    for action in _actions(whole):
        if takes_files(action):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(whole, arguments.shell))  # noqa: T201
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument of a parser and of the commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _actions(child)
