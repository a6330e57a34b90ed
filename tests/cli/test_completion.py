"""`gae-pusher completion`, asked in the real shells what they would offer."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gae_pusher.cli import COMMANDS, main
from tests.conftest import require

_BASH = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_gae_pusher
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
_FISH = "source {script}; complete -C {line}"


def script_for(shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", shell]) == 0
    path = folder / f"completion.{shell}"
    path.write_text(capsys.readouterr().out)
    return path


def offered(shell: str, program: str, script: Path, *words: str) -> set[str]:
    """What a shell offers for the last of the words."""
    line = ["gae-pusher", *words]
    command = {
        "bash": _BASH.format(script=script, words=" ".join(shlex.quote(word) for word in line)),
        "fish": _FISH.format(script=script, line=shlex.quote(" ".join(line))),
    }[shell]
    call = [program, {"bash": "--norc", "fish": "--no-config"}[shell], "-c", command]
    answer = subprocess.run(call, capture_output=True, text=True, check=True, cwd=script.parent)
    assert answer.stderr == ""
    # fish puts a description behind a tab.
    return {line.partition("\t")[0] for line in answer.stdout.splitlines() if line}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_offers_what_comes_next(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, their commands, options, choices and files: each in its place, and only there."""
    program = require(shell, f"install {shell}")
    script = script_for(shell, tmp_path, capsys)
    (tmp_path / "hooks.jsonl").write_text("")

    def offers(*words: str) -> set[str]:
        return offered(shell, program, script, *words)

    assert set(COMMANDS) <= offers("")
    assert offers("we") == {"webhooks"}
    assert offers("webhooks", "") & {"listen", "replay", "trigger"} == {"listen", "replay"}
    assert offers("webhooks", "listen", "--po") == {"--port"}
    assert offers("listen", "--po") == set()
    assert offers("listen", "shop", "--co") == {"--count"}
    assert offers("completion", "f") == {"fish"}
    assert offers("webhooks", "replay", "hoo") == {"hooks.jsonl"}
    assert offers("check", "--app-yaml", "hoo") == {"hooks.jsonl"}


def test_zsh_takes_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script is valid zsh and knows the commands."""
    script = script_for("zsh", tmp_path, capsys)
    assert all(command in script.read_text() for command in COMMANDS)
    subprocess.run([require("zsh", "install zsh"), "-n", str(script)], check=True)


def test_fish_needs_no_library(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """shtab does not write it, so it is not asked for."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "fish"]) == 0
    assert capsys.readouterr().out.startswith("function __gae_pusher_words")
