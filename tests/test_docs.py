"""The documentation is true: its code runs, its links lead somewhere, its lists are complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from google.cloud import ndb

import gae_pusher
from gae_pusher import errors
from gae_pusher.testing.channels import RunningServer

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CHANGELOG.md"]


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def app_environment(
    channels_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> RunningServer:
    """What a reader has around the README's code: a configured app, the default channel type."""
    monkeypatch.setattr(gae_pusher, "channel_type", None)
    return channels_server


def test_readme_code_runs(app_environment: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's Python, run from top to bottom as one program, does what it says."""
    namespace: dict[str, object] = {}
    monkeypatch.setattr(
        ndb.Model, "_kind_map", dict(ndb.Model._kind_map)
    )  # other tests have a Card
    for block in python_blocks(ROOT / "README.md"):
        exec(compile(block, "README.md", "exec"), namespace)
    app_environment.wait_for_event("shop", "order-paid")
    app_environment.wait_for_event("board-2", "tick")
    app_environment.wait_for_event("private-encrypted-vault", "opened")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file of the repository."""
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_every_error_is_documented() -> None:
    """docs/errors.md names every class of the error tree."""
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [name for name in errors.__all__ if f"`{name}`" not in page] == []


def test_every_environment_variable_is_documented() -> None:
    """docs/configuration.md names every variable that environment.py reads."""
    source = (ROOT / "gae_pusher" / "environment.py").read_text()
    page = (ROOT / "docs" / "configuration.md").read_text()
    variables = set(re.findall(r'"(PUSHER_[A-Z0-9_]+)"', source))
    assert variables
    assert sorted(name for name in variables if name not in page) == []


def test_every_extra_is_documented() -> None:
    """docs/configuration.md says what each extra of pyproject.toml is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "configuration.md").read_text()
    extras = project["optional-dependencies"].keys() - {"dev"}
    assert [extra for extra in sorted(extras) if f"`{extra}`" not in page] == []


def test_every_setting_is_documented() -> None:
    """docs/configuration.md names every field of Config and of Limits."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    fields = [*gae_pusher.Config.__dataclass_fields__, *gae_pusher.Limits.__dataclass_fields__]
    assert [name for name in fields if f"`{name}`" not in page] == []


def test_the_readme_leads_to_every_page() -> None:
    """Each page of docs/ is linked from the README."""
    readme = (ROOT / "README.md").read_text()
    pages = sorted((ROOT / "docs").glob("*.md"))
    assert [page.name for page in pages if f"(docs/{page.name})" not in readme] == []


def test_make_targets_of_the_readme_exist() -> None:
    """Every `make` command that the README names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets
