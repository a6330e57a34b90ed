"""app.yaml with what it includes, as gcloud merges it."""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.cli import main
from gae_pusher.deploy.check import check_folder, read_project
from gae_pusher.deploy.check.includes import included_paths
from gae_pusher.deploy.check.second_opinions import gcloud_python

FILES = {
    "app.yaml": """\
runtime: python313
entrypoint: gunicorn --threads 8 main:app
includes: [config/env.yaml]
handlers: [{url: /own, script: auto}]
env_variables: {A: own, B: own}
""",
    "config/env.yaml": """\
includes: [deeper.yaml]
handlers:
- {url: /head, script: auto}
- {url: /tail, script: auto, position: tail}
env_variables: {A: included}
manual_scaling: {instances: 2}
""",
    "config/deeper.yaml": """\
handlers: [{url: /deeper, script: auto}]
env_variables: {A: deeper, C: deeper}
manual_scaling: {instances: 1}
""",
    "requirements.txt": "gunicorn\n",
    ".gcloudignore": "/config/\n",
}
MERGED = {
    "variables": {"A": "deeper", "B": "own", "C": "deeper"},
    "handlers": ["/head", "/deeper", "/own", "/tail"],
    "instances": 2,
}
# What gcloud's own parser makes of it.
_ASK = """
import json, os, sys
root = sys.argv[1]
sys.path[:0] = [os.path.join(root, "lib", "third_party"), os.path.join(root, "lib")]
from googlecloudsdk.api_lib.app import yaml_parsing
app = yaml_parsing.ServiceYamlInfo.FromFile(sys.argv[2]).parsed
print(json.dumps({
    "variables": dict(app.env_variables),
    "handlers": [handler.url for handler in app.handlers],
    "instances": int(app.manual_scaling.instances),
}))
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def codes(root: Path) -> list[tuple[str, int, str]]:
    found = check_folder(root, datetime.date(2026, 11, 22))
    return [(finding.path, finding.line, finding.code) for finding in found]


def test_included_files_are_merged(app: Path) -> None:
    """Included variables win, handlers come first, and a file may include others beside it."""
    project, _ = read_project(app)
    paths = included_paths("app.yaml", project.documents)
    assert paths == ["config/env.yaml", "config/deeper.yaml"]
    sections: dict[str, Any] = project.app.value
    assert {
        "variables": {name: source.value for name, source in sections["env_variables"].items()},
        "handlers": [entry.plain("url") for entry in sections["handlers"].entries()],
        "instances": sections["manual_scaling"].plain("instances"),
    } == MERGED
    assert codes(app) == []


def test_gcloud_merges_them_alike(app: Path) -> None:
    """The expectation of these tests is what gcloud's own parser says."""
    found = gcloud_python()
    if found is None:
        pytest.skip("install the Google Cloud SDK to compare with gcloud's own parser")
    root, python = found
    command = [python, "-c", _ASK, str(root), str(app / "app.yaml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == MERGED


def test_findings_name_the_included_file(app: Path) -> None:
    """A wrong key, a changed value, a broken handler, a missing file: each has its place."""
    (app / "config" / "env.yaml").write_text(
        "inbound_services: [warmup]\n"
        "env_variables: {A: yes}\n"
        "handlers:\n- script: auto\n"
        "includes: [gone.yaml]\n"
        "build_env_variables: {X: '1'}\n"
    )
    found = [entry for entry in codes(app) if entry[0] == "config/env.yaml"]
    assert found == [
        ("config/env.yaml", 1, "A003"),
        ("config/env.yaml", 2, "A402"),
        ("config/env.yaml", 4, "A301"),
        ("config/env.yaml", 5, "A010"),
        ("config/env.yaml", 6, "A007"),
    ]


def test_fix_quotes_values_in_included_files(app: Path) -> None:
    """--fix mends the file in which the value stands."""
    (app / "config" / "env.yaml").write_text("env_variables:\n  A: yes\n")
    assert main(["check", str(app), "--fix", "--no-gcloud"]) == 0
    assert (app / "config" / "env.yaml").read_text() == "env_variables:\n  A: 'yes'\n"


def test_an_included_file_must_be_yaml(app: Path) -> None:
    """A broken one is named with its line."""
    (app / "config" / "env.yaml").write_text("env_variables: [\n")
    assert ("config/env.yaml", 2, "A002") in codes(app)
