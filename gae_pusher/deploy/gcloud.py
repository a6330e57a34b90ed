"""The real gcloud: run it, follow it, and say in one line what went wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gae_pusher.errors import PusherError

__all__ = ["Gcloud", "GcloudError", "find_project"]

_HEADING: Final = re.compile(r"ERROR: \(gcloud[^)]*\)\s*(.+)")
_CRASH: Final = re.compile(r"gcloud crashed \((\w+)\)")
_INNER: Final = re.compile(r"\w+\('([^']+)'\)")  # an error inside the dump of another
_FRAME: Final = " \t.━─╔╗╚╝═╠╣#"
# Lines of progress; the rest repeats the plan or advertises other commands.
_TOLD: Final = re.compile(
    r"Beginning|Uploading|File upload|Building|Updating|Deployed|Migrating|WARNING"
)


class GcloudError(PusherError):
    """gcloud ended with an error; `log` is the path of its own log, if there is one."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(f"{message} (log: {log})" if log else message)
        self.log = log


class Gcloud:
    """Runs gcloud without prompts. `follow` gets each line that a person may want to see."""

    def __init__(
        self,
        project: str,
        environ: Mapping[str, str] = os.environ,
        follow: Callable[[str], None] = lambda line: None,
    ) -> None:
        program = shutil.which("gcloud", path=environ.get("PATH"))
        if program is None:
            raise GcloudError(
                "gcloud is not installed: see https://cloud.google.com/sdk/docs/install"
            )
        self._program = program
        self.project = project
        self._follow = follow
        self._environ = {
            **environ,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            # gcloud asks git for the remote and uploads its URL; without a repository it cannot.
            "GIT_DIR": os.devnull,
        }

    def run(self, *arguments: str) -> Any:
        """The JSON that a command prints. Raises GcloudError, one readable line."""
        project = [f"--project={self.project}"] if self.project else []
        command = [self._program, *arguments, *project, "--quiet"]
        process = subprocess.Popen(
            [*command, "--format=json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=self._environ,
        )
        said: list[str] = []
        reader = threading.Thread(target=self._read, args=(process, said), daemon=True)
        reader.start()
        assert process.stdout is not None
        try:
            answer = process.stdout.read()
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        reader.join()
        process.stdout.close()
        if code != 0:
            raise GcloudError(_explanation(said), _newest_log(self._environ))
        return json.loads(answer) if answer.strip() else None

    def _read(self, process: subprocess.Popen[str], said: list[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                text = line.strip(_FRAME + "\n")
                said.append(text)
                if _TOLD.match(text):
                    self._follow(text)


def find_project(named: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The project that an option, the environment or gcloud's configuration names."""
    given = named or environ.get("CLOUDSDK_CORE_PROJECT")
    if given:
        return given
    try:
        return str(Gcloud("", environ).run("config", "get", "project") or "") or None
    except GcloudError:
        return None


def _explanation(said: Sequence[str]) -> str:
    """One line for what gcloud said on its way out."""
    for line, below in zip(said, [*said[1:], ""], strict=True):
        if heading := _HEADING.match(line):
            return f"gcloud: {_refusal(heading[1], below, said)}"
        if crash := _CRASH.search(line):
            return f"gcloud crashed: {_cause(line, below) or crash[1]}"
    lines = [line for line in said if line]
    return f"gcloud failed: {lines[-1][:200]}" if lines else "gcloud failed and said nothing"


def _refusal(heading: str, below: str, said: Sequence[str]) -> str:
    if below.startswith("Please run"):
        command = next((line for line in said if line.startswith("$ ")), "")
        return f"{heading}: {command.removeprefix('$ ')}"
    # What follows are the answer's headers, a screen full of them.
    return re.sub(r": response: <.*", "", f"{heading} {below}").strip()


def _cause(line: str, below: str) -> str:
    detail = line.partition("):")[2].strip()
    if detail.endswith(":"):
        inner = _INNER.search(below)
        detail = f"{detail} {inner[1] if inner else below}"
    return detail[:200]


def _newest_log(environ: Mapping[str, str]) -> Path | None:
    home = Path(environ.get("HOME", "~")).expanduser()
    folder = Path(environ.get("CLOUDSDK_CONFIG") or home / ".config" / "gcloud")
    logs = sorted((folder / "logs").glob("*/*.log"), key=lambda path: path.stat().st_mtime)
    return logs[-1] if logs else None
