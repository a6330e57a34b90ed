"""The fixtures and the context manager that docs/datastore.md shows."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

import pytest
from google.cloud import ndb

from gae_pusher.cli.emulated_datastore import add_datastore_options
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.testing.datastore import DatastoreServer, running_datastore

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "datastore.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

pytest_plugins = ["pytester"]


def test_the_page_s_test_passes(pytester: pytest.Pytester) -> None:
    """The test that the page shows passes as it stands."""
    pytester.makepyfile(BLOCKS[0])
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_readme_s_test_passes(pytester: pytest.Pytester) -> None:
    """The recipe of the README passes as it stands, with the model that the README has."""
    readme = (ROOT / "README.md").read_text()
    (recipe,) = (
        b for b in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "datastore" in b
    )
    model = (
        "from google.cloud import ndb\nclass Card(ndb.Model):\n    text = ndb.StringProperty()\n"
    )
    pytester.makepyfile(model + recipe)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_page_s_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page shows for code without pytest runs."""
    for name in ("DATASTORE_EMULATOR_HOST", "DATASTORE_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.setenv(name, "put back afterwards")
    monkeypatch.setenv("DATASTORE_DATASET", "put back afterwards")
    namespace: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/datastore.md", "exec"), namespace)
    assert os.environ["GOOGLE_CLOUD_PROJECT"] == "my-project"


def test_the_page_names_everything() -> None:
    """Every option, setting and public method of the server is on the page."""
    import argparse

    parser = argparse.ArgumentParser(add_help=False)
    add_datastore_options(parser)
    names = [option for action in parser._actions for option in action.option_strings]
    names += [field.name for field in fields(Settings)]
    names += [name for name in vars(DatastoreServer) if not name.startswith("_")]
    assert [name for name in names if f"`{name}" not in PAGE] == []


class Entry(ndb.Model):
    text = ndb.StringProperty()


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_an_empty_one(datastore: DatastoreServer, number: int) -> None:
    """What one test puts is not there in the next."""
    with ndb.Client().context():
        assert Entry.query().fetch() == []
        Entry(text=str(number)).put()
        assert os.environ["DATASTORE_EMULATOR_HOST"] == datastore.address


def test_a_port_of_your_own() -> None:
    """A port that is taken is an OSError, and free again after the block."""
    with running_datastore() as server:
        port = server.port
        with pytest.raises(OSError, match="in use"), running_datastore(port=port):
            pass
    with running_datastore(port=port) as server:
        assert server.port == port
