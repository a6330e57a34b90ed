"""What `--fix` changes by itself: only what cannot hurt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.ignore import Ignore
from gae_pusher.deploy.check.yaml_source import parse

__all__ = ["GCLOUDIGNORE", "Edit", "plan_fixes"]

GCLOUDIGNORE: Final = """\
# What gcloud app deploy does not upload.
.gcloudignore
.git
.gitignore
.env
.env.*
__pycache__/
.venv*/
node_modules/
/tests/
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
    edits = list(_ignoring(found, texts))
    for path in sorted({finding.path for finding in found if finding.code == "A402"}):
        edits.append(Edit(path, _quoted(texts[path]), "values quoted"))
    return edits


def _ignoring(found: list[Finding], texts: Mapping[str, str]) -> Iterator[Edit]:
    """The .gcloudignore that leaves behind what git ignores and what a package manager filled."""
    codes = {finding.code for finding in found}
    old = texts.get(".gcloudignore", "")
    lines = [(GCLOUDIGNORE if "U002" in codes else old).rstrip()]
    about = []
    # gcloud refuses to include a file that does not exist.
    if codes & {"U002", "U005"} and ".gitignore" in texts:
        lines.append(INCLUDE)
        about.append("includes .gitignore")
    patterns = Ignore("\n".join(lines), lambda name: texts.get(name, ""))
    for folder in sorted(finding.path for finding in found if finding.code == "U004"):
        if not patterns.ignores(folder, folder=True):
            lines.append(f"/{folder}/")
            about.append(f"ignores {folder}")
    if about or "U002" in codes:
        text = "\n".join([*filter(None, lines), ""])
        yield Edit(".gcloudignore", text, "written" if "U002" in codes else ", ".join(about))


def _quoted(text: str) -> str:
    """Variables of which YAML would make another text get quotes."""
    lines = text.splitlines(keepends=True)
    app = parse(text)
    for section in filter(None, (app.get("env_variables"), app.get("build_env_variables"))):
        for name, source in section.items():
            if source.is_changed:
                written = (
                    rf"({re.escape(name)}['\"]?\s*:\s*){re.escape(source.text or '')}(?=[\s,}}]|$)"
                )
                lines[source.line - 1] = re.sub(
                    written, rf"\g<1>'{source.text}'", lines[source.line - 1], count=1
                )
    return "".join(lines)
