"""What all tests share: programs that may be missing, and what to say then."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

NODE_DIR = Path(__file__).parent / "node"


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
