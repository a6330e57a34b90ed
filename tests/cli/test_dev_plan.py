"""What `gae-pusher dev` decides before it does anything."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.cli.dev import register
from gae_pusher.cli.dev_plan import plan
from gae_pusher.emulator.stack import Google, NoDatastore, Running, StackPlan
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


def test_defaults(tmp_path: Path, sdk: Any) -> None:
    """Documented ports on this machine only, Google's emulator, reload, a harmless project."""
    assert planned(tmp_path, which=sdk) == StackPlan(
        directory=tmp_path,
        host="127.0.0.1",
        port=8080,
        channels_port=6001,
        datastore=Google(
            tmp_path / "sdk/platform/cloud-datastore-emulator/cloud_datastore_emulator",
            tmp_path / ".gae_pusher" / "datastore",
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
    assert isinstance(google.datastore, Google)


def test_without_the_sdk_the_rest_still_runs(tmp_path: Path) -> None:
    """One line says what to install; who asked for Google's emulator gets an error instead."""
    missing = planned(tmp_path).datastore
    assert isinstance(missing, NoDatastore)
    assert "install the Google Cloud SDK" in (missing.reason or "")
    with pytest.raises(ConfigurationError, match="install the Google Cloud SDK"):
        planned(tmp_path, "--datastore", "google")


def test_java_is_named_when_it_is_missing(tmp_path: Path, sdk: Any) -> None:
    """The SDK alone is not enough."""
    missing = planned(tmp_path, which=lambda name: None if name == "java" else sdk(name)).datastore
    assert isinstance(missing, NoDatastore)
    assert "java" in (missing.reason or "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--datastore", "embedded?"), "google, none or HOST:PORT"),
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
