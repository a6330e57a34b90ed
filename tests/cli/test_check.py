"""`gae-pusher check` as a person or a script runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gae_pusher.cli import main
from tests.conftest import require

APP_YAML = """\
runtime: python313
entrypoint: gunicorn --threads 8 main:app
automatic_scaling:
  max_instances: 3
env_variables:
  DEBUG: no
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with one unquoted variable and without a .gcloudignore."""
    (tmp_path / "app.yaml").write_text(APP_YAML)
    (tmp_path / "requirements.txt").write_text("gunicorn\n")
    return tmp_path


def test_exit_code_tells_errors_from_warnings(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings pass, with --strict they fail; errors always fail."""
    assert main(["check", str(app), "--no-gcloud"]) == 0
    assert "2 warnings" in capsys.readouterr().out
    assert main(["check", str(app), "--no-gcloud", "--strict"]) == 1
    (app / "requirements.txt").unlink()
    assert main(["check", str(app), "--no-gcloud"]) == 1


def test_fix_mends_and_then_all_is_well(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After --fix the same check finds nothing, and what changed was said."""
    assert main(["check", str(app), "--no-gcloud", "--fix", "--strict"]) == 0
    captured = capsys.readouterr()
    assert ".gcloudignore: written" in captured.err
    assert "DEBUG: 'no'" in (app / "app.yaml").read_text()


def test_machine_output_is_all_of_stdout(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json and --sarif print one document and nothing else."""
    for option in ("--json", "--sarif"):
        main(["check", str(app), "--no-gcloud", option])
        assert json.loads(capsys.readouterr().out)


def test_a_newer_runtime_can_be_allowed(app: Path) -> None:
    """A runtime that came after this release is no obstacle."""
    text = (app / "app.yaml").read_text().replace("python313", "python317")
    (app / "app.yaml").write_text(text)
    assert main(["check", str(app), "--no-gcloud"]) == 1
    assert main(["check", str(app), "--no-gcloud", "--allow-runtime", "python317"]) == 0


def test_a_folder_without_an_app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no app.yaml that is all that is said."""
    assert main(["check", str(tmp_path), "--json"]) == 1
    assert [row["code"] for row in json.loads(capsys.readouterr().out)] == ["A001"]


def test_a_missing_folder_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a typing mistake."""
    assert main(["check", "does-not-exist"]) == 1
    assert capsys.readouterr().err == "gae-pusher: does-not-exist is no folder\n"


def test_gcloud_gives_a_second_opinion(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where gcloud is installed its parser's complaint is a finding of its own."""
    require("gcloud", "install the Google Cloud SDK for its second opinion")
    (app / "app.yaml").write_text(APP_YAML + "threadsafe: true\n")
    assert main(["check", str(app), "--json"]) == 1
    assert {"A005", "A011"} <= {row["code"] for row in json.loads(capsys.readouterr().out)}


def test_pip_resolves_when_asked(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--resolve finds requirements that contradict each other."""
    (app / "requirements.txt").write_text("gunicorn\nrequests==2.31.0\nrequests==2.32.0\n")
    main(["check", str(app), "--no-gcloud", "--resolve", "--json"])
    assert "R005" in {row["code"] for row in json.loads(capsys.readouterr().out)}


def test_the_installed_command_checks_this_repository() -> None:
    """The sample app passes its own check, but for the file that each machine makes for itself."""
    program = shutil.which("gae-pusher", path=str(Path(sys.executable).parent))
    assert program
    root = Path(__file__).parent.parent.parent
    answer = subprocess.run(
        [program, "check", str(root), "--json", "--no-gcloud"], capture_output=True, text=True
    )
    rows = [row for row in json.loads(answer.stdout) if row["severity"] != "note"]
    found = [(row["code"], row["message"]) for row in rows]
    made_here = ("A010", "included file is missing: env.yaml does not exist")
    assert [finding for finding in found if finding != made_here] == []
