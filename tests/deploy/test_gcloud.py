"""gcloud's own words become one readable line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gae_pusher.deploy.gcloud import Gcloud, GcloudError


def program(folder: Path, script: str) -> dict[str, str]:
    """An environment in which `gcloud` is this shell script."""
    path = folder / "gcloud"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}


def test_a_crash_is_one_line(tmp_path: Path) -> None:
    """A Python crash inside gcloud is told by its cause, without its traceback, with the log."""
    log = tmp_path / ".config" / "gcloud" / "logs" / "2026.11.22" / "1.log"
    log.parent.mkdir(parents=True)
    log.write_text("")
    script = """
echo 'Traceback (most recent call last):' >&2
echo 'ERROR: gcloud crashed (MultiError): One or more errors occurred: reset' >&2
exit 1
"""
    with pytest.raises(GcloudError) as caught:
        Gcloud("p", program(tmp_path, script)).run("app", "deploy")
    assert str(caught.value) == (f"gcloud crashed: One or more errors occurred: reset (log: {log})")


def test_the_cause_of_a_crash_may_stand_below(tmp_path: Path) -> None:
    """What broke an upload is in the next line, deep in a dump of objects."""
    script = """
echo 'ERROR: gcloud crashed (MultiError): One or more errors occurred:' >&2
echo "MaxRetrialsException: last_result=(<class 'x'>, Disconnected('Remote end closed'))" >&2
exit 1
"""
    with pytest.raises(
        GcloudError, match=r"^gcloud crashed: One or .* occurred: Remote end closed$"
    ):
        Gcloud("p", program(tmp_path, script)).run("app", "deploy")


def test_what_to_run_is_told(tmp_path: Path) -> None:
    """Who is not signed in reads the command that signs in, which gcloud prints lines later."""
    script = """
echo 'ERROR: (gcloud.app) You do not currently have an active account selected.' >&2
printf 'Please run:\\n\\n  $ gcloud auth login\\n\\nto obtain new credentials.\\n' >&2
exit 1
"""
    with pytest.raises(GcloudError, match=r"account selected: gcloud auth login$"):
        Gcloud("p", program(tmp_path, script)).run("app", "describe")


def test_progress_is_followed_and_advertising_is_not(tmp_path: Path) -> None:
    """Only lines of progress reach a person, without gcloud's frames."""
    script = """
echo '╠═ Uploading 3 files to Google Cloud Storage ═╣' >&2
echo 'You can stream logs from the command line' >&2
echo '{"a": 1}'
"""
    lines: list[str] = []
    answer = Gcloud("p", program(tmp_path, script), lines.append).run("app", "deploy")
    assert answer == {"a": 1}
    assert lines == ["Uploading 3 files to Google Cloud Storage"]


def test_missing_gcloud_says_where_to_get_it() -> None:
    """Without gcloud the error says where it comes from."""
    with pytest.raises(GcloudError, match=r"cloud\.google\.com/sdk"):
        Gcloud("p", {"PATH": ""})


def test_it_gets_no_repository(tmp_path: Path) -> None:
    """gcloud cannot read the git remote, and never prompts."""
    script = 'printf \'["%s", "%s"]\' "$GIT_DIR" "$CLOUDSDK_CORE_DISABLE_PROMPTS"'
    assert Gcloud("p", program(tmp_path, script)).run("x") == [os.devnull, "1"]
