"""A folder with exactly the files of a plan: what the plan shows is what gcloud gets."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gae_pusher.deploy.plan import DeployPlan

__all__ = ["Stage", "staged"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A copy of the app at `root`, and the ignore file for what only gcloud reads."""

    root: Path
    ignore_file: Path


@contextmanager
def staged(root: Path, plan: DeployPlan) -> Iterator[Stage]:
    """Copy a plan's files aside for the time of a `with` block.

    The user's folder is never written to: gcloud would leave a .gcloudignore in it.
    """
    with tempfile.TemporaryDirectory(prefix="gae-pusher-") as folder:
        stage = Path(folder, "app")
        for path in {*plan.files, *plan.kept_back, plan.app_yaml}:
            target = stage / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target)
        ignore_file = Path(folder, "ignore")
        ignore_file.write_text("".join(f"/{path}\n" for path in plan.kept_back))
        yield Stage(stage, ignore_file)
