"""`gae-pusher webhooks listen` and `replay`, with an app at the other end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from gae_pusher import Pusher, WebhookApp
from gae_pusher.cli import main
from gae_pusher.sansio.signing import sign
from tests.serving import serving

URL = "http://my-key:my-secret@127.0.0.1:6001/apps/1"


@contextmanager
def running_app(broken: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """An app that takes webhooks: its URL, and the events that it got."""
    webhooks, got = WebhookApp(Pusher.from_url(URL)), []

    @webhooks.on()
    def keep(event: Any) -> None:
        if broken:
            raise RuntimeError
        got.append(event.channel)

    with serving(webhooks) as url:
        yield f"{url}/hook", got


@contextmanager
def receiving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command as a process of its own: where it receives, and the process."""
    command = [sys.executable, "-m", "gae_pusher", "webhooks", "listen", "--port", "0", *options]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PUSHER_URL": URL},
    ) as process:
        assert process.stderr is not None
        match = re.search(r"http://\S+", process.stderr.readline())
        assert match
        yield match[0], process
        process.kill()


def send(url: str, body: bytes, secret: str = "my-secret") -> int:
    headers = {"X-Pusher-Key": "my-key", "X-Pusher-Signature": sign(secret, body)}
    return requests.post(url, data=body, headers=headers, timeout=10).status_code


def envelope(channel: str) -> bytes:
    import time

    event = {"name": "channel_occupied", "channel": channel}
    return json.dumps({"time_ms": int(time.time() * 1000), "events": [event]}).encode()


def test_received_kept_forwarded_and_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A webhook is printed, written to the file, and reaches the app, now and when replayed."""
    kept = tmp_path / "hooks.jsonl"
    with running_app() as (app_url, got):
        with receiving("--save", str(kept), "--forward", app_url) as (url, process):
            assert send(url, envelope("shop")) == 200
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["events"][0]["channel"] == "shop"
        assert got == ["shop"]
        old = json.loads(kept.read_text()) | {"time_ms": 1}
        kept.write_text(json.dumps(old) + "\n")
        monkeypatch.setenv("PUSHER_URL", URL)
        assert main(["webhooks", "replay", str(kept), "--forward", app_url]) == 0
        assert got == ["shop", "shop"]
    assert capsys.readouterr().out == "line 1: 200\n"


def test_the_sender_gets_the_answer_of_the_app() -> None:
    """What the app fails on is sent again by the sender, as without the command in between."""
    with running_app(broken=True) as (app_url, _), receiving("--forward", app_url) as (url, _):
        assert send(url, envelope("shop")) == 500


def test_a_forged_webhook_is_refused() -> None:
    """Nothing unsigned is printed or forwarded."""
    with running_app() as (app_url, got), receiving("--forward", app_url) as (url, _):
        assert send(url, envelope("shop"), secret="wrong") == 401
        assert got == []


def test_replay_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken line, a refusing app and an absent app each end it with 1 and one line."""
    monkeypatch.setenv("PUSHER_URL", URL)
    path = tmp_path / "hooks.jsonl"
    path.write_text("{}\n")
    assert main(["webhooks", "replay", str(path), "--forward", "http://127.0.0.1:9/"]) == 1
    assert 'line 1 is no webhook, {"events": [...]}' in capsys.readouterr().err
    path.write_bytes(envelope("shop"))
    assert main(["webhooks", "replay", str(path), "--forward", "http://127.0.0.1:9/"]) == 1
    assert "does not answer" in capsys.readouterr().err
    with running_app(broken=True) as (app_url, _):
        assert main(["webhooks", "replay", str(path), "--forward", app_url]) == 1


def test_an_absent_app_is_one_line() -> None:
    """The sender gets 502 and tries again; the terminal gets a line and no traceback."""
    with receiving("--forward", "http://127.0.0.1:9/") as (url, process):
        assert send(url, envelope("shop")) == 502
        assert process.stderr is not None
        assert process.stderr.readline().startswith("http://127.0.0.1:9/ does not answer")


def test_a_taken_port_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts it twice reads which port is taken."""
    monkeypatch.setenv("PUSHER_URL", URL)
    with running_app() as (app_url, _):
        port = app_url.rpartition(":")[2].partition("/")[0]
        assert main(["webhooks", "listen", "--port", port]) == 1
    assert capsys.readouterr().err.startswith(f"gae-pusher: port {port} is taken")
