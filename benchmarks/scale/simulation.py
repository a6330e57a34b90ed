"""One run: the outbox's lane, relay, store and policy between the modelled services."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb

from benchmarks.scale import numbers
from benchmarks.scale.channels import ModelledPusher
from benchmarks.scale.clock import Clock
from benchmarks.scale.cloud_tasks import ModelledTasks
from benchmarks.scale.datastore import ModelledDatastore
from benchmarks.scale.groups import Group, Groups
from benchmarks.scale.sender import ModelledSender
from benchmarks.scale.store import ModelledStore
from benchmarks.scale.tally import Tally
from benchmarks.scale.waiting import run_tasklets
from gae_pusher.outbox.app import SWEEP_SECONDS
from gae_pusher.outbox.lane import Committed, Lane
from gae_pusher.outbox.outbox import Outbox
from gae_pusher.outbox.relay import Relay

__all__ = ["Scenario", "Simulation", "simulate"]

SEED = 20
OUTAGE_FROM = 60.0
AFTERWARDS = 540.0  # what is simulated after an outage
WATCH_SECONDS = 5.0
PULSE_SECONDS = 1.0  # transactions commit in bunches of one second's worth


@dataclass(frozen=True, slots=True)
class Scenario:
    """Durable events that are offered, one a transaction, and what they meet."""

    per_second: float
    shards: int
    outage_seconds: float = 0
    queues: int = 1
    sweeps: int = 1
    cold: bool = False

    @property
    def seconds(self) -> float:
        """How long events are offered."""
        return OUTAGE_FROM + self.outage_seconds + AFTERWARDS


class ModelledOutbox(Outbox):
    """The outbox with another Store; everything else is its own."""

    modelled_store: ModelledStore

    def store(self, sender: object) -> ModelledStore:
        return self.modelled_store


class Simulation:
    """One shard of the outbox with its share of everything else: shards are alike."""

    def __init__(self, scenario: Scenario) -> None:
        source = random.Random(SEED)
        self.scenario, self._random = scenario, source
        self.clock, self.tally = Clock(), Tally()
        self.share = 1 / scenario.shards
        self.groups = Groups(source, scenario.shards)
        self.datastore = ModelledDatastore(source, self.share, cold=scenario.cold)
        self.pusher = ModelledPusher(
            source,
            events_per_second=numbers.PUSHER_EVENTS_PER_SECOND * self.share,
            down_from=OUTAGE_FROM,
            down_seconds=scenario.outage_seconds,
        )
        rate = scenario.queues * numbers.QUEUE_DISPATCHES_PER_SECOND * self.share
        self.tasks = ModelledTasks(self.clock, rate, self._count, self._dispatch)
        self.outbox = ModelledOutbox(
            self.tasks if scenario.queues else None,
            shards=scenario.shards,
            clock=lambda: self.clock.now,
        )
        self.outbox.modelled_store = ModelledStore(
            self.clock, self.outbox.policy, self.datastore, self.groups
        )
        self.sender = ModelledSender(self.clock, self.pusher, self.groups, self.tally)
        self.relay = Relay(self.outbox, self.sender)

    def run(self) -> Tally:
        """Offer events from the first second to the last."""
        self._offer()
        self._cron()
        self._watch()
        self.clock.run(until=self.scenario.seconds)
        return self.tally

    def _offer(self) -> None:
        offered = self._some(self.scenario.per_second * self.share * PULSE_SECONDS)
        count = min(offered, self.datastore.room(self.clock.now))
        self.tally.offered += offered
        self.tally.refused += offered - count
        if count:
            self._transactions(count)
        self.clock.after(PULSE_SECONDS, self._offer)

    def _some(self, expected: float) -> int:
        return int(expected + self._random.random())

    def _transactions(self, count: int) -> None:
        seconds = self.datastore.write(self.clock.now, count)
        due = self.clock.now + self.outbox.policy.grace_seconds
        lost = min(count, self._some(count * numbers.CRASHES))
        for part, crashes in ((count - lost, False), (lost, True)):
            if part:
                group = self.groups.new(part, self.clock.now, due)
                self.clock.after(seconds, lambda g=group, c=crashes: self._committed(g, c))

    def _committed(self, group: Group, crashes: bool) -> None:
        self.tally.committed += group.count
        self.groups.store(group)
        if not crashes:
            Lane(self.sender, self.outbox.modelled_store, self.outbox.fallback).add(
                Committed(group.name, group.events)
            )
            run_tasklets()

    def _count(self, name: str) -> int:
        return self.groups.known[name].count

    def _dispatch(self, name: str, tasks: int) -> None:
        """Some of an entry's tasks come to OutboxApp; when that fails, Cloud Tasks comes again."""
        group = self.groups.stored(name)
        if group is None:
            return
        part = self.groups.split(group, tasks)

        def done(future: ndb.Future) -> None:
            if future.exception():
                self.tasks.put(part.name, numbers.TASK_RETRY_SECONDS)

        self.relay.deliver(part.name).add_done_callback(done)
        run_tasklets()

    def _cron(self) -> None:
        for _ in range(self.scenario.sweeps):
            self.relay.sweep(SWEEP_SECONDS).add_done_callback(lambda done: done.result())
        run_tasklets()
        self.clock.after(numbers.SWEEP_SECONDS, self._cron)

    def _watch(self) -> None:
        self.tally.backlog.append((self.clock.now, self.groups.backlog()))
        self.clock.after(WATCH_SECONDS, self._watch)


def simulate(scenario: Scenario) -> Simulation:
    """A finished run. The same scenario gives the same numbers."""
    random.seed(SEED)  # the outbox's own jitter
    client = ndb.Client(project="simulated", credentials=AnonymousCredentials())
    with _silenced(logging.getLogger("gae_pusher")), client.context():
        simulation = Simulation(scenario)
        simulation.run()
    return simulation


@contextmanager
def _silenced(logger: logging.Logger) -> Iterator[None]:
    """The outbox logs each failure, and a simulated outage has millions."""
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
