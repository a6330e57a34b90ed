from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.emulator.appengine.site import Site, SiteMaker, make_site


@pytest.fixture
def start_site(tmp_path: Path) -> Iterator[SiteMaker]:
    """Start an app whose files are given by name; without any it is the echo app."""
    with ExitStack() as stack:

        def start(files: dict[str, str] | None = None, **services: str) -> Site:
            site = stack.enter_context(make_site(tmp_path, files or {}))
            site.start(services)
            return site

        yield start
