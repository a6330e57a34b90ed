"""What all tests share: programs that may be missing, and what to say then."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

NODE_DIR = Path(__file__).parent / "node"


def pytest_configure() -> None:
    """Hypothesis, where it is installed, sets no deadlines: a busy machine is no failure."""
    if find_spec("hypothesis"):
        from hypothesis import settings

        settings.register_profile("patient", parent=settings(), deadline=None)
        settings.load_profile("patient")


def missing(what: str) -> NoReturn:
    """Skip on a user's machine, which may lack a program; fail where all of them must be there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def require(program: str, hint: str) -> str:
    """The path of a program, or a skip that says how to get it."""
    path = shutil.which(program)
    if path is None:
        missing(f"needs {program}: {hint}")
    return path


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, with the official clients installed in tests/node."""
    path = require("node", "install Node.js 20 or newer")
    if not (NODE_DIR / "node_modules" / "pusher-js").is_dir():
        missing("needs the official clients: run npm ci in tests/node")
    return path
