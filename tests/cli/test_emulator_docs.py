"""docs/emulator.md tells all that the command and the controls can do."""

from __future__ import annotations

import re
from pathlib import Path

from gae_pusher.emulator.channels.options import SETTING_NAMES, SWITCHES
from gae_pusher.testing.channels import RunningServer

from .test_emulators import parsed

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
PACKAGE = Path(__file__).parents[2] / "gae_pusher" / "emulator" / "channels"


def test_every_option_is_documented() -> None:
    """The page names every option of the command."""
    options = {f"--{name.replace('_', '-')}" for name in vars(parsed()) if name != "run"}
    assert len(options) > 8
    assert sorted(option for option in options if f"`{option}" not in PAGE) == []


def test_every_name_is_documented() -> None:
    """The page names everything that --disable and --set take."""
    names = [*SWITCHES, *SETTING_NAMES]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_control_is_documented() -> None:
    """The page names every path of the controls and every method of the test server."""
    paths = re.findall(r"PREFIX}/([a-z]+)", (PACKAGE / "control_routes.py").read_text())
    assert len(paths) > 7
    assert [path for path in paths if f"/_emulator/{path}" not in PAGE] == []
    names = [name for name in vars(RunningServer) if not name.startswith("_")]
    assert [name for name in names if not re.search(rf"`{name}\b", PAGE)] == []
