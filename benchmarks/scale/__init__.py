"""Past one machine, by simulation: `python -m benchmarks scale`; docs/scale.md explains it."""

from __future__ import annotations

from benchmarks.scale.report import report as run

__all__ = ["run"]
