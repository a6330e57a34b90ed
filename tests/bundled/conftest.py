"""The bundled services have an environment of their own: `make test` runs these tests there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

try:
    HAS_BUNDLED_SERVICES = find_spec("google.appengine") is not None
except ModuleNotFoundError:
    HAS_BUNDLED_SERVICES = False

collect_ignore_glob = [] if HAS_BUNDLED_SERVICES else ["test_*.py"]


@pytest.fixture
def stubs() -> Iterator[None]:
    """App Engine's stubs; the one of urlfetch makes real calls."""
    from google.appengine.ext import testbed

    bed = testbed.Testbed()
    bed.activate()
    bed.init_datastore_v3_stub()
    bed.init_memcache_stub()
    bed.init_urlfetch_stub()
    try:
        yield
    finally:
        bed.deactivate()
