"""Questions to Google Cloud with the real gcloud, against a fake Google on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gae_pusher import Pusher, WebhookApp
from gae_pusher.cli import main
from gae_pusher.deploy.doctor.cloud import region_of
from gae_pusher.deploy.doctor.roles import granted_roles
from gae_pusher.testing.channels import RunningServer
from tests.deploy.fake_google import PROJECT, Google
from tests.serving import serving

ACCOUNT = f"serviceAccount:{PROJECT}@appspot.gserviceaccount.com"
QUEUE = f"projects/{PROJECT}/locations/us-central1/queues/default"
INDEX = {
    "kind": "Card",
    "ancestor": "NONE",
    "properties": [{"name": "at", "direction": "DESCENDING"}],
}
APP = {
    "app.yaml": "runtime: python313\nenv_variables:\n  PUSHER_SECRET: sm://p/pusher-secret/latest\n",
    "main.py": "from google.cloud import ndb\nfrom gae_pusher import OutboxApp, TaskQueue\n",
    "cron.yaml": "cron: []\n",
    "index.yaml": "indexes:\n- kind: Card\n  properties:\n  - name: at\n    direction: desc\n",
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app that uses Datastore, tasks, the outbox and a secret."""
    for name, text in APP.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def asked(app: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The outcomes by their question, and the exit code under ''."""
    code = main(["doctor", str(app), "--json", *options])
    rows = json.loads(capsys.readouterr().out)
    return {row["question"]: row for row in rows} | {"": code}


def test_a_healthy_app(
    app: Path,
    google: Google,
    channels_server: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where everything is in place every question is answered well, and the exit code is 0."""
    monkeypatch.setenv("PUSHER_URL", channels_server.pusher_url)
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", "127.0.0.1:9")
    (app / "main.py").write_text("import ndb, TaskQueue\n")
    google.queues = [{"name": QUEUE, "state": "RUNNING"}]
    google.indexes = [INDEX | {"state": "READY", "indexId": "1"}]
    google.policy = [{"role": "roles/editor", "members": [ACCOUNT]}]
    role = "roles/secretmanager.secretAccessor"
    google.secret_policies = {"pusher-secret": [{"role": role, "members": [ACCOUNT]}]}
    with serving(WebhookApp(Pusher.from_url(channels_server.pusher_url))) as url:
        found = asked(app, capsys, "--webhook", url)
    assert {name: row["ok"] for name, row in found.items() if name} == {
        "credentials": True,
        "clock": True,
        "queue": True,
        "indexes": True,
        "role user": True,
        "role enqueuer": True,
        "role secretAccessor": True,
        "webhook": True,
        "forged webhook": True,
    }
    assert found[""] == 0


@pytest.mark.usefixtures("signed_in")
def test_an_app_that_lacks_everything(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing is named with the command that makes it, and the exit code is 1."""
    google.indexes = [INDEX | {"state": "CREATING", "indexId": "1"}]
    google.policy = [{"role": "roles/viewer", "members": [ACCOUNT]}]
    found = asked(app, capsys)
    assert found[""] == 1
    failed = {name for name, row in found.items() if name and row["ok"] is False}
    assert failed == {
        "queue", "cron", "indexes", "role user", "role enqueuer", "role secretAccessor"
    }  # fmt: skip
    assert found["queue"]["do"] == "gcloud tasks queues create default --location=us-central1"
    assert "/outbox" in found["cron"]["do"]
    assert "--role=roles/cloudtasks.enqueuer" in found["role enqueuer"]["do"]
    assert found["credentials"]["ok"] is None
    assert found["webhook"]["ok"] is None


def test_a_paused_queue_fails(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """A queue that does not run is named with the command that resumes it."""
    google.queues = [{"name": QUEUE, "state": "PAUSED"}]
    found = asked(app, capsys)
    assert found["queue"]["ok"] is False
    assert "resume" in found["queue"]["do"]


def test_without_permission(app: Path, google: Google, capsys: pytest.CaptureFixture[str]) -> None:
    """Who may not look gets gcloud's reason in one line."""
    google.forbidden = True
    assert main(["doctor", str(app)]) == 1
    said = capsys.readouterr().out
    assert "permission" in said
    assert "gcloud auth login" in said
    assert "Traceback" not in said


def test_regions_have_two_names() -> None:
    """App Engine's oldest regions are called otherwise by Cloud Tasks."""
    assert region_of({"locationId": "europe-west"}) == "europe-west1"
    assert region_of({"locationId": "europe-north1"}) == "europe-north1"


def test_a_condition_is_no_grant() -> None:
    """A role under a condition may not hold when it is needed."""
    binding = {"role": "roles/owner", "members": ["serviceAccount:a"]}
    assert granted_roles({"bindings": [binding]}, "a") == {"roles/owner"}
    assert granted_roles({"bindings": [binding | {"condition": {}}]}, "a") == frozenset()
    assert granted_roles(None, "a") == frozenset()
