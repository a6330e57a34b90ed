"""`gae-pusher deploy` with the real gcloud, against a fake Google on loopback."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gae_pusher import ChannelAuthorizationApp, Pusher, WebhookApp
from gae_pusher.cli import main
from gae_pusher.testing.channels import RunningServer
from tests.deploy.fake_google import PROJECT, Google
from tests.serving import serving

APP = {
    "app.yaml": (
        "runtime: python313\n"
        "entrypoint: gunicorn --threads 8 main:app\n"
        "automatic_scaling:\n  max_instances: 3\n"
        "inbound_services: [warmup]\n"
        "includes: [env.yaml]\n"
        "env_variables:\n  MODE: live\n"
    ),
    "env.yaml": "env_variables:\n  PUSHER_SECRET: 0f1e2d3c4b5a69788796\n",
    "requirements.txt": "gunicorn>=22\n",
    "main.py": (
        "from gae_pusher import ChannelAuthorizationApp, WebhookApp\napp = routes('/_ah/warmup')\n"
    ),
    "static/site.css": "body{}\n",
    ".gitignore": "env.yaml\n*.log\n",
    ".gcloudignore": ".env\n",
    ".env": "SECRET=1\n",
    "debug.log": "noise\n",
    "venv/pyvenv.cfg": "",
    "venv/lib/x.py": "",
}
UPLOADED = {"app.yaml", "requirements.txt", "main.py", "static/site.css"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app in a git clone with a remote, with everything beside it that must not be uploaded."""
    root = tmp_path / "app"
    for name, text in APP.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (["init", "-q"], ["remote", "add", "origin", "https://example.com/secret.git"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    return root


@pytest.fixture
def deployed_app(channels_server: RunningServer, google: Google) -> Iterator[list[str]]:
    """What answers at the new version's URL: a real app with both endpoints. Yields its paths."""
    pusher = Pusher.from_url(channels_server.pusher_url)
    apps = {"/pusher/webhook": WebhookApp(pusher), "/pusher/auth": ChannelAuthorizationApp(pusher)}
    asked: list[str] = []

    def serve(environ, start_response):  # type: ignore[no-untyped-def]
        asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] in apps:
            return apps[environ["PATH_INFO"]](environ, start_response)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(serve) as url:
        google.version_url = url
        yield asked


def deploy(app: Path, *options: str) -> int:
    return main(["deploy", str(app), "--yes", *options])


def run_as_printed(said: str, after: str) -> None:
    """Run a command line that gae-pusher printed, as the user would, with the real gcloud."""
    line = said.split(after, 1)[1].splitlines()[0]
    subprocess.run(shlex.split(line), input="y\n", text=True, check=True, capture_output=True)


def test_deploys_exactly_the_plan_tests_it_and_moves_the_traffic(
    app: Path,
    google: Google,
    deployed_app: list[str],
    channels_server: RunningServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first and the second deployment: files, version body, smoke test, traffic, rollback."""
    before = sorted(path for path in app.rglob("*") if ".git" not in path.parts)
    assert deploy(app, "--version", "v1") == 0
    assert set(google.files_of("v1")) == UPLOADED
    assert google.files_of("v1")["main.py"] == APP["main.py"].encode()
    version = google.versions["v1"]
    assert version["runtime"] == "python313"
    assert version["envVariables"] == {"MODE": "live", "PUSHER_SECRET": "0f1e2d3c4b5a69788796"}
    assert version["automaticScaling"]["standardSchedulerSettings"] == {"maxInstances": 3}
    assert google.split == {"v1": 1.0}
    assert {"/_ah/warmup", "/pusher/auth", "/pusher/webhook"} <= set(deployed_app)
    said = capsys.readouterr().err
    assert "  change " not in said
    assert said.endswith(f"v1 is deployed and has the traffic: {google.version_url}\n")
    channels_server.wait_for_event("gae-pusher-smoke-test", "deployed")
    after = sorted(path for path in app.rglob("*") if ".git" not in path.parts)
    assert after == before

    google.uploads.clear()
    (app / "app.yaml").write_text(APP["app.yaml"].replace("python313", "python314"))
    assert deploy(app, "--version", "v2") == 0
    said = capsys.readouterr().err
    assert len(google.uploads) == 1
    assert google.split == {"v2": 1.0}
    assert "runtime: python313 becomes python314" in said
    assert "0f1e2d3c4b5a69788796" not in said


def test_a_second_deployment_of_the_same_uploads_nothing(
    app: Path, google: Google, deployed_app: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With nothing changed no file travels, and the new version is the old one by another name."""
    assert deploy(app, "--version", "v1") == 0
    google.uploads.clear()
    capsys.readouterr()
    assert deploy(app, "--version", "v2") == 0
    assert google.uploads == []
    assert google.versions["v2"] == google.versions["v1"] | {"id": "v2"}
    assert google.split == {"v2": 1.0}
    assert "  change   none in app.yaml\n" in capsys.readouterr().err


def test_the_printed_command_gives_the_traffic_back(
    app: Path, google: Google, deployed_app: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """After the traffic moved the command that was printed restores it, a split included."""
    google.versions = {name: {"id": name, "runtime": "python313"} for name in ("v0", "v1")}
    google.split, google.split_by = {"v0": 0.75, "v1": 0.25}, "COOKIE"
    assert deploy(app, "--version", "v2") == 0
    assert google.split == {"v2": 1.0}
    run_as_printed(capsys.readouterr().err, "To give the traffic back: ")
    assert (google.split, google.split_by) == ({"v0": 0.75, "v1": 0.25}, "COOKIE")


def test_traffic_that_moves_half_is_given_back(
    app: Path, google: Google, deployed_app: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """When moving it fails the command ends with 1 and has printed what restores it."""
    google.versions, google.split = {"v0": {"id": "v0", "runtime": "python313"}}, {"v0": 1.0}
    google.split_error = "an internal error"
    assert deploy(app, "--version", "v1") == 1
    google.split_error = None
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("gae-pusher: gcloud: ")
    run_as_printed(said, "Give it back with:\n  ")
    assert google.split == {"v0": 1.0}


def test_a_broken_version_gets_no_traffic(
    app: Path, google: Google, deployed_app: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """When the smoke test fails the traffic stays, and the command that was printed removes it."""
    assert deploy(app, "--version", "v1") == 0
    assert deploy(app, "--version", "v2", "--health", "/pusher/webhook") == 1
    assert google.split == {"v1": 1.0}
    said = capsys.readouterr().err
    assert said.splitlines()[-2].startswith(
        "gae-pusher: the smoke test failed (health): version v2 is deployed and gets no traffic"
    )
    run_as_printed(said, "or delete it: ")
    assert set(google.versions) == {"v1"}
    assert google.split == {"v1": 1.0}


def test_a_broken_first_version_is_not_said_to_be_harmless(
    app: Path, google: Google, deployed_app: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """App Engine gives a service's first version the traffic at once: plan and failure say so."""
    assert deploy(app, "--version", "v1", "--health", "/pusher/webhook") == 1
    said = capsys.readouterr().err
    assert "goes to it at once" in said
    assert "version v1 is the first of its service and so has the traffic" in said
    assert "versions delete" not in said


def test_no_promote_and_no_smoke_test(app: Path, google: Google) -> None:
    """Without promotion the traffic stays; without the smoke test nothing is asked."""
    google.versions["v0"] = {"id": "v0", "runtime": "python313"}
    google.split = {"v0": 1.0}
    assert deploy(app, "--version", "v1", "--no-promote", "--no-smoke-test") == 0
    assert google.split == {"v0": 1.0}
    assert "v1" in google.versions


def test_dry_run_changes_nothing(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan is shown and only reading requests were made."""
    assert deploy(app, "--dry-run") == 0
    assert "4, " in capsys.readouterr().err
    assert all(line.startswith("GET ") for line in google.requests)


def test_dry_run_needs_no_account(
    app: Path,
    google: Google,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who is not signed in sees the plan all the same, and why it says nothing of what serves."""
    monkeypatch.delenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS")
    assert deploy(app, "--dry-run") == 0
    said = capsys.readouterr().err
    assert "What serves now cannot be read: gcloud: " in said
    assert "  traffic  goes to it, after the smoke test\n" in said
    assert google.requests == []


def test_all_configuration_files_are_deployed_together(app: Path, google: Google) -> None:
    """cron, queue, dispatch and index files go along in one deployment."""
    (app / "cron.yaml").write_text("cron:\n- url: /c\n  schedule: every 5 minutes\n")
    (app / "queue.yaml").write_text("queue:\n- name: push\n  rate: 5/s\n")
    (app / "dispatch.yaml").write_text("dispatch:\n- url: '*/x/*'\n  service: default\n")
    (app / "index.yaml").write_text(
        "indexes:\n- kind: Card\n  properties:\n  - name: a\n  - name: b\n"
    )
    assert deploy(app, "--version", "v1", "--no-smoke-test") == 0
    assert google.jobs[0]["appEngineHttpTarget"]["relativeUri"] == "/c", google.jobs
    assert google.queues[0]["name"].endswith("/queues/push")
    assert google.dispatch[0]["service"] == "default"
    assert google.indexes[0]["kind"] == "Card"


def test_a_missing_bucket_is_repaired(app: Path, google: Google) -> None:
    """An app without a staging bucket gets one by gcloud's own repair."""
    google.bucket_known = False
    assert deploy(app, "--version", "v1", "--no-smoke-test") == 0
    assert f"POST /v1/apps/{PROJECT}:repair" in google.requests


def test_dropped_uploads_are_sent_again(app: Path, google: Google) -> None:
    """A connection that breaks in the middle of the upload is no failure."""
    google.dropped_uploads = 2
    assert deploy(app, "--version", "v1", "--no-smoke-test") == 0
    assert set(google.files_of("v1")) == UPLOADED


def test_a_large_file_is_uploaded_in_one_piece(app: Path, google: Google) -> None:
    """Over 5 MiB gcloud uploads in another way; what arrives is the same file."""
    content = os.urandom(6 * 1024 * 1024)
    (app / "static" / "film.bin").write_bytes(content)
    assert deploy(app, "--version", "v1", "--no-smoke-test") == 0
    assert google.files_of("v1")["static/film.bin"] == content


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"app_exists": False}, "does not contain an App Engine application"),
        ({"forbidden": True}, "permission"),
        ({"create_error": "the build broke"}, "the build broke"),
    ],
)
def test_failures_are_one_line(
    app: Path,
    google: Google,
    capsys: pytest.CaptureFixture[str],
    fault: dict[str, object],
    words: str,
) -> None:
    """What Google refuses ends the command with one line that names the cause and gcloud's log."""
    for name, value in fault.items():
        setattr(google, name, value)
    assert deploy(app, "--version", "v1", "--no-smoke-test") == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("gae-pusher: gcloud: ")
    assert words in said[-1]
    assert "log: " in said[-1]
    assert not any(words in line for line in said[:-1])
    assert not any("Traceback" in line for line in said)
    assert google.split == {}


def test_check_comes_first(app: Path, google: Google, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of `gae-pusher check` stops the deployment before gcloud is asked anything."""
    (app / "requirements.txt").unlink()
    assert deploy(app) == 1
    assert "R001" in capsys.readouterr().err
    assert google.requests == []
