"""Headless Chromium, driven by playwright-core, which runs under Node in tests/node/browser.mjs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[1] / "node" / "browser.mjs"
ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "browser"
LAPTOP = {"viewport": {"width": 1280, "height": 800}, "colorScheme": "light"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "colorScheme": "dark",
    "deviceScaleFactor": 2,
    "hasTouch": True,
    "isMobile": True,
}


class BrowserError(Exception):
    """What playwright-core raised; a wait that took too long is one of them."""


class Window:
    """One visitor's window: cookies of its own, and the methods of playwright's Page."""

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        self._name = name

    def do(self, method: str, *arguments: Any) -> Any:
        """Call a method of the page, such as click or fill, with its waiting."""
        return self._browser.ask(self._name, method, *arguments)

    def wait(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        self.do("until", expression)

    def see(self, selector: str) -> str:
        """Wait until an element is visible, and give its text."""
        self.do("waitForSelector", selector)
        return self.do("innerText", selector)

    def screenshot(self, name: str) -> None:
        """Keep a picture under artifacts/, when what moves on the page has come to rest."""
        self.wait("document.getAnimations().every((a) => a.playState !== 'running')")
        self.do("screenshot", {"path": str(ARTIFACTS / f"{name}.png")})

    def complaints(self) -> list[str]:
        """What went wrong in the page so far: uncaught errors and the console's."""
        return self._browser.ask(self._name, "complaints")

    def close(self) -> None:
        """Close the window, and with it its connections; again is fine."""
        self._browser.ask(self._name, "close")


class Browser:
    """The child process with Chromium in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._ids = count(1)

    def open(self, **options: Any) -> Window:
        """A window of a new visitor; `options` are those of playwright's newContext."""
        window = Window(self, f"window {next(self._ids)}")
        window.do("open", options)
        return window

    def ask(self, window: str, command: str, *arguments: Any) -> Any:
        """Send a command and wait for its answer. Raises BrowserError."""
        message = {"id": next(self._ids), "window": window, "do": command, "arguments": arguments}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BrowserError(f"Chromium ended; {command} has no answer")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(f"{command}{arguments}: {answer['error']}")
        return answer["result"]


@contextmanager
def running_browser(node: str, chromium: str) -> Iterator[Browser]:
    """Run Chromium for the duration of a `with` block."""
    process = subprocess.Popen(
        [node, str(SCRIPT), chromium],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=SCRIPT.parent,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Browser(process)
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()
