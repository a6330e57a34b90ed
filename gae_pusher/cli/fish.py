"""The completion script for fish, which shtab does not write."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["fish_script", "takes_files"]

# `in`: the command line begins with these commands; `at`: it has nothing else yet.
_FUNCTIONS: Final = """\
function __PROG_words
    commandline -poc | string match --invert -- '-*'
end
function __PROG_in
    set -l words (__PROG_words)[2..]
    test "$words[1..$(count $argv)]" = "$argv"
end
function __PROG_at
    set -l words (__PROG_words)[2..]
    test "$words" = "$argv"
end
"""


def fish_script(parser: argparse.ArgumentParser) -> str:
    """The script that completes all commands below a parser, their options, and files."""
    prefix = parser.prog.replace("-", "_")
    lines = [f"complete -c {parser.prog} -f", *_lines(parser, parser.prog, prefix, ())]
    return _FUNCTIONS.replace("PROG", prefix) + "\n".join(lines) + "\n"


def _lines(
    parser: argparse.ArgumentParser, program: str, prefix: str, path: tuple[str, ...]
) -> Iterator[str]:
    """One `complete` for each option, argument and command below the commands of `path`."""
    at = f"complete -c {program} -n '{' '.join([f'__{prefix}_at', *path])}'"
    within = f"complete -c {program} -n '{' '.join([f'__{prefix}_in', *path])}'" if path else at
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for entry in action._choices_actions:
                yield f"{at} -a {entry.dest} -d {_quoted(entry.help or '')}"
            for name, child in action.choices.items():
                yield from _lines(child, program, prefix, (*path, name))
        elif action.option_strings:
            told = parser._get_formatter()._expand_help(action) if action.help else ""
            yield f"{within}{_spelled(action)}{_value(action)} -d {_quoted(told)}"
        elif words := _words(action):
            yield f"{within} {words}"


def _spelled(action: argparse.Action) -> str:
    return "".join(
        f" -l {name.removeprefix('--')}" if name.startswith("--") else f" -s {name[1:]}"
        for name in action.option_strings
    )


def _value(action: argparse.Action) -> str:
    """What must follow an option: one of some words, a file, anything at all, or nothing."""
    return "" if action.nargs == 0 else f" {_words(action) or '-x'} -r"


def _words(action: argparse.Action) -> str:
    if action.choices is not None:
        return f"-a {_quoted(' '.join(map(str, action.choices)))}"
    return "-F" if takes_files(action) else ""


def takes_files(action: argparse.Action) -> bool:
    """Whether an argument is the path of a file or folder."""
    return action.type is Path or action.metavar in ("FILE", "DIR")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
