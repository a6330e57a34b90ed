"""What `import gae_pusher` costs: `python -m benchmarks import_cost`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks.common import table

PROCESSES = 9
GOAL_MILLISECONDS = 40
OPTIONAL = (
    "aiohttp",
    "django",
    "flask",
    "google",
    "nacl",
    "pycurl",
    "requests",
    "tornado",
    "urllib3",
)
# Compiling is not importing: the first process of each kind writes the bytecode.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
# With NDB there already, these would each add more than the whole package does.
HEAVY = ("aiohttp", "django", "flask", "nacl", "requests_toolbelt", "tornado")


def run() -> str:
    """Whole processes in turns; a table with the cost and what was loaded."""
    bare, ours = _in_turns("pass", "import gae_pusher")
    ndb = "from google.cloud import ndb"
    with_ndb, with_both = _in_turns(ndb, f"{ndb}; import gae_pusher; gae_pusher.GaeNdbChannel")
    rows = [
        ("import", "milliseconds", "goal", "loads"),
        (
            "gae_pusher over a bare interpreter",
            f"{(ours - bare) * 1000:.1f}",
            str(GOAL_MILLISECONDS),
            _loaded("import gae_pusher", OPTIONAL),
        ),
        (
            "gae_pusher.GaeNdbChannel over google-cloud-ndb",
            f"{(with_both - with_ndb) * 1000:.1f}",
            "",
            _loaded(f"{ndb}; import gae_pusher; gae_pusher.GaeNdbChannel", HEAVY),
        ),
    ]
    return f"{table(rows)}\n(medians of {PROCESSES} whole processes)"


def _in_turns(*programs: str) -> list[float]:
    seconds: list[list[float]] = [[] for _ in programs]
    for program in programs:
        _seconds(program)
    for _ in range(PROCESSES):
        for index, program in enumerate(programs):
            seconds[index].append(_seconds(program))
    return [statistics.median(values) for values in seconds]


def _seconds(program: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=_ENVIRONMENT)
    return time.perf_counter() - started


def _loaded(program: str, libraries: tuple[str, ...]) -> str:
    script = f"{program}; import sys; print(*sorted({libraries!r} & sys.modules.keys()))"
    script = script.replace(repr(libraries), f"set({libraries!r})")
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    return output.strip() or "no optional library"
