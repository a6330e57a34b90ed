"""docs/dev.md tells all that the commands can do."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from gae_pusher.cli import channels, dev, trigger
from gae_pusher.emulator.appengine.watch import IGNORED_DIRECTORIES, SOURCE_SUFFIXES

PAGE = (Path(__file__).parents[2] / "docs" / "dev.md").read_text()


@pytest.mark.parametrize("command", [dev, trigger, channels])
def test_every_option_is_documented(command: object) -> None:
    """The page names every option of the three commands."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    command.register(subparsers)  # type: ignore[attr-defined]
    (parser,) = subparsers.choices.values()
    options = [option for action in parser._actions for option in action.option_strings]
    long = [option for option in options if option.startswith("--") and option != "--help"]
    assert len(long) > 3
    assert [option for option in long if option not in PAGE] == []


def test_what_is_watched_is_documented() -> None:
    """The page names every suffix that restarts the app, and every folder that does not."""
    names = [*SOURCE_SUFFIXES, *IGNORED_DIRECTORIES]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
