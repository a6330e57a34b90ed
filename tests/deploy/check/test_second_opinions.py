"""What gcloud's own parsers say about app.yaml and its companions."""

from __future__ import annotations

from pathlib import Path

import pytest

from gae_pusher.deploy.check.second_opinions import ask_gcloud, gcloud_python

FILES = {
    "app.yaml": ("runtime: python313\nthreadsafe: true\nincludes: [env.yaml]\n", 0, "threadsafe"),
    "cron.yaml": ("cron:\n- url: /x\n  schedule: every day 03:00\n  shedule: x\n", 4, "shedule"),
    "queue.yaml": ("queue:\n- name: a_b\n  rate: 5/s\n", 2, "a_b"),
    "dispatch.yaml": ("dispatch:\n- url: '*/x'\n  srv: web\n", 3, "srv"),
    "index.yaml": ("indexes:\n- kind: Card\n  ancestr: true\n", 3, "ancestr"),
}


@pytest.fixture(autouse=True)
def _gcloud() -> None:
    if gcloud_python() is None:
        pytest.skip("install the Google Cloud SDK to ask its parsers")


def test_every_file_is_asked_about(tmp_path: Path) -> None:
    """Each file's complaint has its line and the parser's words, and no path of this machine."""
    for name, (text, _, _) in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "env.yaml").write_text("env_variables: {A: b}\n")
    found = {finding.path: finding for finding in ask_gcloud(tmp_path, "app.yaml")}
    assert found.keys() == FILES.keys()
    for name, (_, line, word) in FILES.items():
        assert (found[name].code, found[name].line) == ("A011", line)
        assert word in found[name].message


def test_a_complaint_about_an_included_file_names_it(tmp_path: Path) -> None:
    """The line is one of the file in which the mistake stands."""
    (tmp_path / "app.yaml").write_text("runtime: python313\nincludes: [env.yaml]\n")
    (tmp_path / "env.yaml").write_text("env_variables: {A: b}\ninbound_services: [warmup]\n")
    (finding,) = ask_gcloud(tmp_path, "app.yaml")
    assert (finding.path, finding.line) == ("env.yaml", 2)
    assert str(tmp_path) not in finding.message


def test_a_complaint_shows_paths_from_the_app(tmp_path: Path) -> None:
    """gcloud names files in full; here they are named as the user knows them."""
    (tmp_path / "app.yaml").write_text("runtime: python313\nincludes: [gone.yaml]\n")
    (finding,) = ask_gcloud(tmp_path, "app.yaml")
    assert "gone.yaml listed in includes directive of app.yaml" in finding.message


def test_sound_files_are_left_in_peace(tmp_path: Path) -> None:
    """No complaint, no finding."""
    (tmp_path / "app.yaml").write_text("runtime: python313\n")
    (tmp_path / "index.yaml").write_text("indexes:\n")
    assert ask_gcloud(tmp_path, "app.yaml") == []
