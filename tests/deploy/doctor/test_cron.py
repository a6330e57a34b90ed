"""The question about cron, with the real gcloud, against a fake Google on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.cli import main
from gae_pusher.deploy.doctor.cron import judge_job
from tests.deploy.fake_google import Google

JOB = {"name": "j", "state": "ENABLED", "appEngineHttpTarget": {"relativeUri": "/outbox"}}
CRON = "cron:\n- url: /outbox\n  schedule: every 1 minutes\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app with an outbox."""
    (tmp_path / "app.yaml").write_text("runtime: python313\n")
    (tmp_path / "main.py").write_text("from gae_pusher import OutboxApp\n")
    (tmp_path / "cron.yaml").write_text(CRON)
    return tmp_path


def cron_of(app: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(["doctor", str(app), "--json"])
    said = capsys.readouterr()
    assert "a-token" not in said.out + said.err
    rows = {row["question"]: row for row in json.loads(said.out)}
    cron: dict[str, Any] = rows["cron"]
    return cron


def test_a_job_of_cloud_scheduler_is_found(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """It serves as well as one of cron.yaml."""
    google.scheduled = [JOB]
    assert cron_of(app, capsys)["ok"] is True


@pytest.mark.usefixtures("signed_in")
def test_a_deployed_job_of_cron_yaml_is_found(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """gcloud has no command that lists these: the API is asked with gcloud's own token."""
    google.jobs = [JOB | {"lastAttemptTime": "2026-11-22T09:00:00Z"}]
    cron = cron_of(app, capsys)
    assert cron["ok"] is True
    assert cron["detail"] == "the job for /outbox is ENABLED, last asked at 2026-11-22T09:00:00Z"


@pytest.mark.usefixtures("signed_in")
def test_a_job_that_was_never_deployed_fails(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """cron.yaml alone sweeps nothing: the command that deploys it is named."""
    cron = cron_of(app, capsys)
    assert cron["ok"] is False
    assert cron["do"] == "gcloud app deploy cron.yaml"
    (app / "cron.yaml").write_text("cron: []\n")
    assert "Add {url: /outbox" in cron_of(app, capsys)["do"]


def test_without_an_account_nothing_is_claimed(
    app: Path, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the API cannot be asked, the page that shows the jobs is named."""
    cron = cron_of(app, capsys)
    assert cron["ok"] is None
    assert "cloudscheduler/appengine" in cron["do"]


@pytest.mark.parametrize(
    ("facts", "ok", "words"),
    [
        ({"status": {}}, True, "ENABLED"),
        ({"state": "PAUSED"}, False, "PAUSED"),
        ({"status": {"code": 13}}, False, "the answer was no 2xx"),
    ],
)
def test_a_job_is_judged_by_state_and_last_attempt(
    facts: dict[str, Any], ok: bool, words: str
) -> None:
    """A paused job sweeps nothing, and neither does one whose requests are refused."""
    outcome = judge_job(JOB | facts, "/outbox")
    assert outcome.ok is ok
    assert words in outcome.detail
