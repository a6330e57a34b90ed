"""docs/check.md is complete and true."""

from __future__ import annotations

import argparse
from pathlib import Path

from gae_pusher.cli import check as command
from gae_pusher.deploy.check import CATALOGUE

PAGE = (Path(__file__).parents[3] / "docs" / "check.md").read_text()


def test_every_code_is_explained() -> None:
    """Each code's row says severity, finding, consequence and fix as the command does."""
    rows = [
        f"| {rule.code} | {rule.severity.name.lower()} | {rule.title} | {rule.consequence} "
        f"| {rule.fix} |"
        for rule in CATALOGUE.values()
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_every_option_is_explained() -> None:
    """Each option of the command has a row."""
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    subparser = parser._subparsers._group_actions[0].choices["check"]  # type: ignore[union-attr,index]
    options = {name for action in subparser._actions for name in action.option_strings}
    assert [name for name in options - {"-h", "--help"} if f"| `{name}" not in PAGE] == []
