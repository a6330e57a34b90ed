"""gcloud, pointed at a fake Google on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.deploy.fake_google import Google, running_google


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """The fake, with gcloud pointed at it."""
    require("gcloud", "install the Google Cloud SDK to test deployments")
    home = tmp_path / "home"
    home.mkdir()
    (home / "gce").write_text("False")
    with running_google() as fake:
        for name, value in fake.environ(str(home)).items():
            monkeypatch.setenv(name, value)
        for name in [name for name in os.environ if name.startswith("PUSHER_")]:
            monkeypatch.delenv(name)
        yield fake


@pytest.fixture
def signed_in(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gcloud has a token, as after `gcloud auth login`."""
    token = tmp_path / "token"
    token.write_text("a-token")
    monkeypatch.delenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", str(token))
