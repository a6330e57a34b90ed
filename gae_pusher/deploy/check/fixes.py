"""What `--fix` changes by itself: only what cannot hurt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gae_pusher.deploy.check.findings import Finding

__all__ = ["GCLOUDIGNORE", "Edit", "plan_fixes"]

GCLOUDIGNORE: Final = """\
# What gcloud app deploy does not upload. What git ignores stays here as well.
.gcloudignore
.git
.gitignore
.env
.env.*
__pycache__/
.venv*/
node_modules/
tests/
#!include:.gitignore
"""
INCLUDE: Final = "#!include:.gitignore"


@dataclass(frozen=True, slots=True)
class Edit:
    """A file's new text, and one line about what changes."""

    path: str
    text: str
    about: str


def plan_fixes(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[Edit]:
    """The edits that mend what can be mended safely; `texts` are the files as they are now."""
    found = list(findings)
    codes = {finding.code for finding in found}
    edits = []
    if "U002" in codes:
        edits.append(Edit(".gcloudignore", GCLOUDIGNORE, "written"))
    elif "U005" in codes and ".gitignore" in texts:
        text = texts.get(".gcloudignore", "")
        edits.append(Edit(".gcloudignore", f"{text.rstrip()}\n{INCLUDE}\n", "includes .gitignore"))
    edits += _quoted(found, texts)
    return edits


def _quoted(findings: list[Finding], texts: Mapping[str, str]) -> list[Edit]:
    """Variables that YAML would turn into a boolean or a number get quotes."""
    lines = {(f.path, f.line) for f in findings if f.code == "A402"}
    edits = []
    for path in sorted({path for path, _ in lines}):
        numbered = enumerate(texts[path].splitlines(), 1)
        text = "\n".join(_quote(line) if (path, n) in lines else line for n, line in numbered)
        edits.append(Edit(path, text + "\n", "values quoted"))
    return edits


def _quote(line: str) -> str:
    name, colon, rest = line.partition(":")
    value, hash_, comment = rest.partition(" #")
    if value.strip()[:1] in ("", "'", '"'):
        return line
    return f"{name}{colon} '{value.strip()}'{' #' + comment if hash_ else ''}"
