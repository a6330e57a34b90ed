"""What `gae-pusher dev` decides before it does anything."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.cli.dev import register
from gae_pusher.cli.dev_plan import plan
from gae_pusher.emulator.datastore.indexes import Column, IndexSpec
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.emulator.stack import Embedded, Google, NoDatastore, Running, StackPlan
from gae_pusher.errors import ConfigurationError


@pytest.fixture
def sdk(tmp_path: Path) -> Callable[[str], str | None]:
    """Finds a Google Cloud SDK with the emulator, and java."""
    script = tmp_path / "sdk" / "platform" / "cloud-datastore-emulator" / "cloud_datastore_emulator"
    script.parent.mkdir(parents=True)
    script.touch()
    gcloud = tmp_path / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.touch()
    return {"gcloud": str(gcloud), "java": "/usr/bin/java"}.get


def nothing(_: str) -> None:
    return None


def planned(
    directory: Path,
    *options: str,
    which: Callable[[str], str | None] = nothing,
    **environ: str,
) -> StackPlan:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    return plan(parser.parse_args(["dev", str(directory), *options]), environ, which)


def test_defaults(tmp_path: Path) -> None:
    """Documented ports on this machine only, our Datastore, reload, a harmless project."""
    kept = tmp_path / ".gae_pusher"
    assert planned(tmp_path) == StackPlan(
        directory=tmp_path,
        host="127.0.0.1",
        port=8080,
        channels_port=6001,
        datastore=Embedded(
            Settings(kept / "datastore.sqlite3", suggestions=kept / "suggested-index.yaml")
        ),
        webhook="/pusher/webhook",
        project="demo-local",
        reload=True,
    )


def test_options(tmp_path: Path) -> None:
    """Every option has its place in the plan."""
    data = tmp_path / "data"
    given = planned(
        tmp_path,
        *("--host", "0.0.0.0", "--port", "0", "--channels-port", "7001"),
        *("--datastore", "none", "--data", str(data), "--webhook", "none", "--no-reload"),
    )
    assert given == StackPlan(
        tmp_path, "0.0.0.0", 0, 7001, NoDatastore(), None, "demo-local", reload=False
    )


def test_a_running_datastore_is_used(tmp_path: Path, sdk: Any) -> None:
    """The environment's is preferred to starting another; an option is preferred to both."""
    environ = {"DATASTORE_EMULATOR_HOST": "localhost:8432"}
    assert planned(tmp_path, which=sdk, **environ).datastore == Running("localhost:8432")
    named = planned(tmp_path, "--datastore", "[::1]:9", which=sdk, **environ)
    assert named.datastore == Running("[::1]:9")
    google = planned(tmp_path, "--datastore", "google", which=sdk, **environ)
    assert google.datastore == Google(
        tmp_path / "sdk/platform/cloud-datastore-emulator/cloud_datastore_emulator",
        tmp_path / ".gae_pusher" / "datastore",
    )
    embedded = planned(tmp_path, "--datastore", "embedded", **environ)
    assert isinstance(embedded.datastore, Embedded)


def test_required_indexes(tmp_path: Path) -> None:
    """The app's index.yaml is read when its indexes are required, and must be there."""
    with pytest.raises(ConfigurationError, match="--require-indexes needs an index"):
        planned(tmp_path, "--require-indexes")
    (tmp_path / "index.yaml").write_text("indexes:\n- kind: T\n  properties:\n  - name: a\n")
    declared = (IndexSpec("T", False, (Column("a"),)),)
    kept = tmp_path / ".gae_pusher" / "datastore.sqlite3"
    given = planned(tmp_path, "--require-indexes").datastore
    assert given == Embedded(Settings(kept, declared))


def test_what_google_s_emulator_needs_is_named(tmp_path: Path, sdk: Any) -> None:
    """Who asks for Google's emulator is told what is missing for it: the SDK, or java."""
    with pytest.raises(ConfigurationError, match="install the Google Cloud SDK"):
        planned(tmp_path, "--datastore", "google")
    with pytest.raises(ConfigurationError, match="java"):
        planned(
            *(tmp_path, "--datastore", "google"),
            which=lambda name: None if name == "java" else sdk(name),
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--datastore", "embedded?"), "embedded, google, none or HOST:PORT"),
        (("--webhook", "pusher"), "starts with /"),
    ],
)
def test_wrong_values_say_what_is_right(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    """The error names the option, the value and the choices."""
    with pytest.raises(ConfigurationError, match=message):
        planned(tmp_path, *options)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The folder is named."""
    with pytest.raises(ConfigurationError, match="gone is no folder"):
        planned(tmp_path / "gone")
