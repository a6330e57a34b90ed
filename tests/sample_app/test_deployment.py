"""The files with which `gcloud app deploy` deploys the sample app from the repository's root."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import require
from tests.deploy.fake_google import running_google

ROOT = Path(__file__).parents[2]
URL = "https://key:a-secret-of-a-test@api-eu.pusher.com/apps/1"
SDK = "install the Google Cloud SDK"


@pytest.fixture(scope="session")
def gcloud_environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """gcloud with a configuration of its own, that looks for no metadata server."""
    folder = tmp_path_factory.mktemp("gcloud")
    (folder / "gce").write_text("False")
    return os.environ | {"CLOUDSDK_CONFIG": str(folder), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}


def test_the_upload_is_what_production_runs(gcloud_environ: dict[str, str]) -> None:
    """gcloud uploads the library, the sample app, app.yaml and requirements.txt, and no more."""
    command = [require("gcloud", SDK), "meta", "list-files-for-upload", str(ROOT)]
    done = subprocess.run(command, env=gcloud_environ, capture_output=True, text=True, check=True)
    files = {Path(line) for line in done.stdout.split()}
    assert {file.parts[0] for file in files} == {
        "app.yaml",
        "gae_pusher",
        "requirements.txt",
        "sample_app",
    }
    assert {Path("sample_app/main.py"), Path("sample_app/static/board.js")} <= files
    assert not [file for file in files if file.suffix == ".pyc" or file.name.startswith(".env")]


@pytest.mark.parametrize("name", ["env.yaml", ".env"])
def test_files_with_secrets_are_in_neither_git_nor_the_upload(name: str) -> None:
    """The files that hold the secret are ignored by git, and .gcloudignore goes by that."""
    ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False)
    assert ignored.returncode == 0
    assert "#!include:.gitignore" in (ROOT / ".gcloudignore").read_text()


def parsed_by_gcloud(folder: Path) -> subprocess.CompletedProcess[str]:
    """What gcloud's own parser says of a folder's app.yaml: its variables as JSON."""
    sdk = Path(require("gcloud", SDK)).resolve().parents[1]
    script = (
        "import json, sys; lib = sys.argv[1]; sys.path[:0] = [lib + '/third_party', lib]\n"
        "from googlecloudsdk.api_lib.app import yaml_parsing\n"
        "info = yaml_parsing.ServiceYamlInfo.FromFile(sys.argv[2])\n"
        "print(json.dumps(dict(info.parsed.env_variables or {})))\n"
    )
    bundled = sdk / "platform" / "bundledpythonunix" / "bin" / "python3"
    python = str(bundled) if bundled.exists() else sys.executable
    command = [python, "-c", script, str(sdk / "lib"), str(folder / "app.yaml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_gcloud_takes_the_secret_from_env_yaml(tmp_path: Path) -> None:
    """gcloud accepts app.yaml, and merges the file that is not in git."""
    (tmp_path / "app.yaml").write_text((ROOT / "app.yaml").read_text())
    (tmp_path / "env.yaml").write_text(f"env_variables:\n  PUSHER_URL: {URL}\n")
    done = parsed_by_gcloud(tmp_path)
    assert json.loads(done.stdout or "null") == {"PUSHER_URL": URL}, done.stderr


def test_gcloud_names_env_yaml_when_it_is_missing(tmp_path: Path) -> None:
    """Who forgot env.yaml reads its name in gcloud's error, before anything is uploaded."""
    (tmp_path / "app.yaml").write_text((ROOT / "app.yaml").read_text())
    done = parsed_by_gcloud(tmp_path)
    assert done.returncode != 0
    assert "env.yaml" in done.stderr.splitlines()[-1]


def test_gcloud_deploys_it(tmp_path: Path) -> None:
    """The real `gcloud app deploy`, with nothing prepared but env.yaml, makes the version."""
    root, home = tmp_path / "root", tmp_path / "home"
    home.mkdir()
    (home / "gce").write_text("False")  # gcloud looks for no metadata server
    for folder in ("gae_pusher", "sample_app"):
        shutil.copytree(ROOT / folder, root / folder)
    for name in ("app.yaml", "requirements.txt", ".gcloudignore", ".gitignore", "package.json"):
        shutil.copy(ROOT / name, root / name)
    (root / "env.yaml").write_text(f"env_variables:\n  PUSHER_URL: {URL}\n")
    (root / ".env").write_text(f"PUSHER_URL={URL}\n")
    command = [require("gcloud", SDK), "app", "deploy", "--quiet", "--version=v1"]
    with running_google() as google:
        environ = os.environ | google.environ(str(home))
        subprocess.run(command, cwd=root, env=environ, capture_output=True, check=True)
    version, files = google.versions["v1"], google.files_of("v1")
    assert version["envVariables"] == {"PUSHER_URL": URL}
    assert version["entrypoint"]["shell"].endswith("sample_app.main:app")
    assert version["inboundServices"] == ["INBOUND_SERVICE_WARMUP"]
    assert files["sample_app/main.py"] == (ROOT / "sample_app" / "main.py").read_bytes()
    assert not {"env.yaml", ".env", "package.json"} & files.keys()
    assert not [path for path, body in files.items() if URL.encode() in body]


def test_the_entrypoint_and_the_handlers_name_what_exists() -> None:
    """gunicorn is installed, the module is there, and the static folder is the app's own."""
    app = yaml.safe_load((ROOT / "app.yaml").read_text())
    assert app["entrypoint"].split()[0] == "gunicorn"
    assert app["entrypoint"].split()[-1] == "sample_app.main:app"
    assert [h["static_dir"] for h in app["handlers"] if "static_dir" in h] == ["sample_app/static"]
    task, last = app["handlers"][-2:]
    assert re.fullmatch(task["url"], "/tasks/import-cards")
    assert "secure" not in task
    assert last["secure"] == "always"


def test_production_installs_what_the_package_needs() -> None:
    """requirements.txt has every dependency of pyproject.toml, with the same bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["tasks"]]
    assert set(wanted) <= set((ROOT / "requirements.txt").read_text().splitlines())


def test_one_version_of_pusher_js() -> None:
    """The page's CDN address, package.json and its lock have the same version of pusher-js."""
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]["pusher-js"]
    lock = json.loads((ROOT / "package-lock.json").read_text())
    source = (ROOT / "sample_app" / "assets.py").read_text()
    assert lock["packages"]["node_modules/pusher-js"]["version"] == wanted
    assert f'PUSHER_JS_VERSION = "{wanted}"' in source


def test_the_sample_imports_public_names_only() -> None:
    """The sample is written as a user would write it: `import gae_pusher`, and the Flask module."""
    imports = {
        line
        for file in (ROOT / "sample_app").glob("*.py")
        for line in file.read_text().splitlines()
        if re.match(r"\s*(import|from) gae_pusher", line)
    }
    assert imports == {
        "import gae_pusher",
        "from gae_pusher.contrib.flask import FlaskEndpoints",
    }
