"""The processes that are killed: `python -m tests.system.victims PORT` forks them on demand.

A line on stdin, `work SEED`, `sweep SEED` or `drain SEED`, forks a child and answers its pid; the
imports, which take longer than a victim lives, happen once.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from typing import Any, Final

from google.cloud import ndb

from gae_pusher import GaeNdbChannel, Outbox, Pusher
from gae_pusher.outbox.relay import Relay

COUNTERS: Final = 6
CHANNELS: Final = 3
ON_COMMIT_VARIABLE: Final = "CHAOS_ON_COMMIT"


class Tally(ndb.Model):
    """What the transactions fight over."""

    n = ndb.IntegerProperty(default=0, indexed=False)


class Fact(ndb.Model):
    """Written by each attempt of a transaction: these events were committed."""

    uids = ndb.TextProperty(repeated=True)


class Rollback(Exception):
    """Some transactions change their mind."""


def new_pusher(port: int, ahead_seconds: float = 0) -> Pusher:
    outbox = Outbox(
        grace_seconds=1, lease_seconds=2, clock=lambda: time.time() + ahead_seconds, attempts=1_000
    )
    return Pusher(
        "81", "9c1e7f0a2b3d4e5f6071", "7d3b5c9e1f2a4b6c8d0e", ssl=False, host="127.0.0.1",
        port=port, channel_type=GaeNdbChannel, outbox=outbox,
        on_commit=os.environ.get(ON_COMMIT_VARIABLE, "outbox"),
    )  # fmt: skip


def work(port: int, seed: int) -> None:
    """Transactions without end, as an app makes them: read, change, tell."""
    pusher, chance = new_pusher(port), random.Random(seed)
    client = ndb.Client()
    for number in range(1_000_000):
        with client.context():
            try:
                ndb.transaction(lambda n=number: _change(pusher, chance, f"{seed}-{n}"))
            except Exception:  # Rollback, contention that lasted too long: the caller's own affair
                continue


def _change(pusher: Pusher, chance: random.Random, name: str) -> None:
    attempt = f"{name}-{os.urandom(4).hex()}"
    name = str(chance.randrange(COUNTERS))
    tally = Tally.get_by_id(name) or Tally(id=name)
    uids = [f"{attempt}-{index}" for index in range(chance.randint(1, 3))]
    for uid in uids:
        pusher[f"board-{chance.randrange(CHANNELS)}"].trigger("moved", {"uid": uid})
    tally.n += 1
    time.sleep(chance.choice((0, 0, 0.002, 0.01)))  # others get in between
    ndb.put_multi([tally, Fact(id=attempt, uids=uids)])
    if chance.random() < 0.2:
        raise Rollback


def sweep(port: int, seed: int) -> None:
    """The cron job, without its pauses."""
    pusher = new_pusher(port)
    client = ndb.Client()
    while True:
        with client.context():
            _relay(pusher).sweep(1).result()
        time.sleep(0.05)


def drain(port: int, seed: int) -> None:
    """Sweeps an hour later, two hours later and so on, until nothing is left."""
    client = ndb.Client()
    for hours in range(1, 30):
        relay = _relay(new_pusher(port, hours * 3_600.0))
        with client.context():
            if not relay.sweep(600).result():
                os._exit(0)
    os._exit(1)


def _relay(pusher: Pusher) -> Relay:
    sender: Any = pusher.sender
    return Relay(sender.transactions.outbox, sender)


def main(port: int) -> None:
    logging.getLogger("gae_pusher").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    roles = {"work": work, "sweep": sweep, "drain": drain}
    for line in sys.stdin:
        role, seed = line.split()
        child = os.fork()
        if not child:
            try:
                roles[role](port, int(seed))
            finally:
                os._exit(70)
        print(child, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
