"""The sample app under `gae-pusher dev`, and Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.browser.chromium import ARTIFACTS, LAPTOP, Browser, Window, running_browser
from tests.browser.dev import Dev
from tests.conftest import missing, require

SDK = "install the Google Cloud SDK with its Datastore emulator"


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    require("gcloud", SDK)
    require("java", "Google's Datastore emulator needs it")
    running = Dev(tmp_path_factory.mktemp("dev"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser(node: str) -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        missing("needs a browser: install Chromium")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with running_browser(node, path) as running:
        yield running


NewWindow = Callable[..., Window]


@pytest.fixture
def enter(browser: Browser, dev: Dev) -> Iterator[NewWindow]:
    """Open a window of a visitor with this name and colour, at a path of the app."""
    windows = []

    def enter(name: str, colour: str, path: str = "/", **options: object) -> Window:
        window = browser.open(**(LAPTOP | options))
        windows.append(window)
        window.do("goto", dev.url + path)
        window.do("fill", "#name", name)
        window.do("check", f"input[value={colour}]", {"force": True})
        window.do("click", "text=Come in")
        return window

    yield enter
    for window in windows:
        window.close()
