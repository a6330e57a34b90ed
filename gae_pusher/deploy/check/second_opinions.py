"""What other tools on this machine say: gcloud's own parser, and pip about the requirements."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.rules.configs import CONFIGS

__all__ = ["ask_gcloud", "ask_pip", "gcloud_python"]

_TIMEOUT_SECONDS: Final = 60

# Runs inside gcloud's bundled Python, which has its parsers. Prints their complaints by file.
_PARSE: Final = """
import json, os, sys
root, folder, app_yaml, *configs = sys.argv[1:]
sys.path[:0] = [os.path.join(root, "lib", "third_party"), os.path.join(root, "lib")]
from googlecloudsdk.api_lib.app.yaml_parsing import ConfigYamlInfo, ServiceYamlInfo
said = {}
for name, parser in [(app_yaml, ServiceYamlInfo), *((name, ConfigYamlInfo) for name in configs)]:
    try:
        parser.FromFile(os.path.join(folder, name))
    except Exception as error:
        said[name] = " ".join(str(error).split()) or type(error).__name__
print(json.dumps(said))
"""


def ask_gcloud(folder: Path, app_yaml: str) -> list[Finding]:
    """gcloud's own opinion of app.yaml and its companions; nothing when it is not installed."""
    found = gcloud_python()
    if found is None:
        return []
    root, python = found
    configs = [name for name in CONFIGS if (folder / name).exists()]
    here = folder.resolve()
    answer = _run([python, "-c", _PARSE, str(root), str(here), app_yaml, *configs])
    said = json.loads(answer.stdout or "{}")
    return [_complaint(here, name, text) for name, text in said.items()]


def _complaint(folder: Path, name: str, said: str) -> Finding:
    """A parser's words, without the file's own name and the parser's dump of an object."""
    place = re.search(r'in "([^"]+)", line (\d+)', said)
    if place and Path(place[1]).is_relative_to(folder):
        name = str(Path(place[1]).relative_to(folder))  # app.yaml may include it
    words = re.sub(
        r'^An error occurred while parsing file: \[[^]]*\] | in "[^"]+", line.*$| <\w+ \w+=.*$',
        "",
        said,
    )
    shown = words.replace(f"{folder}/", "")[:300]
    return Finding(name, int(place[2]) if place else 0, "A011", shown)


def gcloud_python() -> tuple[Path, str] | None:
    """The folder of an installed gcloud and the Python that it brings, else this one."""
    program = shutil.which("gcloud")
    if program is None:
        return None
    root = Path(os.path.realpath(program)).parent.parent
    if not (root / "lib" / "googlecloudsdk").is_dir():
        return None
    python = root / "platform" / "bundledpythonunix" / "bin" / "python3"
    return root, str(python) if python.exists() else sys.executable


def ask_pip(requirements: Path, name: str) -> list[Finding]:
    """Whether pip finds versions that agree; it asks the index that pip is configured for."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
    answer = _run([*command, "--report", "-", "--requirement", str(requirements)])
    if answer.returncode == 0 and _is_report(answer.stdout):
        return []
    errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR:")]
    text = errors[0].removeprefix("ERROR:").strip() if errors else "pip found no solution"
    return [Finding(name, 0, "R005", text[:300])]


def _is_report(text: str) -> bool:
    try:
        return "install" in json.loads(text)
    except ValueError:
        return False


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(
            command, 1, "", f"ERROR: no answer in {_TIMEOUT_SECONDS} s"
        )
