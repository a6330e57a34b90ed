"""Proof of delivery: transactions under load, in processes that die at random points.

    python -m tests.system.chaos --kills 1000

Workers run transactions that change shared entities and trigger events, some of them roll back;
sweepers work at the same time. Both are killed with SIGKILL, while the Channels server refuses,
resets, stalls and talks nonsense. In the end every committed event has arrived and no other.
Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.cloud import ndb

from gae_pusher.outbox.entry import OutboxEntry
from gae_pusher.testing.datastore import running_datastore
from tests.google_datastore import running_google_datastore
from tests.system.unreliable import Arrivals, unreliable_channels
from tests.system.victims import ON_COMMIT_VARIABLE, Fact

ROOT: Final = Path(__file__).parent.parent.parent
WORKERS: Final = 4
# A victim's life in seconds: from before its first transaction to well into its work.
SHORTEST, LONGEST = 0.1, 2.0
DRAIN_SECONDS: Final = 600
PAGE: Final = 500


@dataclass
class Report:
    """What happened. `lost` and `ghosts` must be empty, `strange` too."""

    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    transactions: int = 0
    committed: int = 0
    arrived: int = 0
    doubles: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    lost: set[str] = field(default_factory=set)
    ghosts: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)
    left: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.ghosts or self.strange or self.left)

    def __str__(self) -> str:
        killed = ", ".join(f"{count} of '{role}'" for role, count in sorted(self.kills.items()))
        requests = ", ".join(f"{count} {name}" for name, count in self.requests.most_common())
        return "\n".join(
            [
                f"{sum(self.kills.values())} kills ({killed}) in {self.seconds:.0f} s",
                f"{self.transactions} committed transactions with {self.committed} events",
                f"{self.waiting} outbox entries were left by the dead, {self.left} in the end",
                f"{self.arrived} events arrived: {len(self.lost)} lost, {self.doubles} doubles "
                f"({100 * self.doubles / max(1, self.committed):.1f} %), {len(self.ghosts)} of "
                f"transactions that did not commit, {len(self.strange)} doubles of another id",
                f"requests: {requests}",
            ]
        )


class Victims:
    """Starts processes, and kills them."""

    def __init__(self, port: int, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.victims", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )

    def start(self, role: str, seed: int) -> int:
        """The pid of a new one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(role, seed, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """No more."""
        self._process.communicate()


def run(kills: int, seed: int, datastore: str = "ours", on_commit: str = "outbox") -> Report:
    """Kill so many processes, then let what is left be delivered, and look."""
    report, chance, start = Report(), random.Random(seed), time.monotonic()
    with _datastore(datastore) as environment, unreliable_channels(seed) as (port, arrivals):
        os.environ.update(environment)
        victims = Victims(port, {**environment, ON_COMMIT_VARIABLE: on_commit})
        try:
            _kill_many(victims, kills, chance, report)
            client = ndb.Client()
            with client.context():
                report.waiting = OutboxEntry.query(namespace="").count()
            _drain(victims)
        finally:
            victims.close()
        _compare(client, arrivals, report)
    report.seconds = time.monotonic() - start
    return report


def _kill_many(victims: Victims, kills: int, chance: random.Random, report: Report) -> None:
    roles = ["work"] * WORKERS + ["sweep"]
    alive: list[tuple[float, str, int]] = []
    number = 0
    while sum(report.kills.values()) < kills:
        while roles:
            role = roles.pop()
            number += 1
            pid = victims.start(role, number)
            alive.append((time.monotonic() + chance.uniform(SHORTEST, LONGEST), role, pid))
        alive.sort()
        moment, role, pid = alive.pop(0)
        time.sleep(max(0, moment - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
        report.kills[role] += 1
        roles.append(role)
    for _, _, pid in alive:
        os.kill(pid, signal.SIGKILL)


def _drain(victims: Victims) -> None:
    pid = victims.start("drain", 0)
    end = time.monotonic() + DRAIN_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


def _compare(client: ndb.Client, arrivals: Arrivals, report: Report) -> None:
    with client.context(cache_policy=False):
        facts = [fact for page in _pages() for fact in page]
        report.left = OutboxEntry.query(namespace="").count()
    committed = {uid for fact in facts for uid in fact.uids}
    ids = defaultdict(set)
    for data in arrivals.data:
        ids[data["uid"]].add(data["event_id"])
    report.transactions, report.committed = len(facts), len(committed)
    report.arrived, report.doubles = len(arrivals.data), len(arrivals.data) - len(ids)
    report.lost, report.ghosts = committed - set(ids), set(ids) - committed
    report.strange = {uid for uid, known in ids.items() if len(known) > 1}
    report.requests = arrivals.outcomes


def _pages() -> Iterator[list[Fact]]:
    cursor, more = None, True
    while more:
        page, cursor, more = Fact.query().fetch_page(PAGE, start_cursor=cursor)
        yield page


@contextmanager
def _datastore(kind: str) -> Iterator[Mapping[str, str]]:
    if kind == "google":
        with TemporaryDirectory() as folder, running_google_datastore(Path(folder)) as environment:
            yield environment
    else:
        with running_datastore() as server:
            yield server.environment()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--datastore", choices=("ours", "google"), default="ours")
    parser.add_argument(
        "--on-commit",
        choices=("outbox", "send"),
        default="outbox",
        help="'send' is the control: without an outbox events are lost",
    )
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    report = run(arguments.kills, arguments.seed, arguments.datastore, arguments.on_commit)
    print(report)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
