"""Which job of cron.yaml is due when. Pure: the time is given."""

from __future__ import annotations

from collections.abc import Sequence

from gae_pusher.emulator.appengine.cron_yaml import CronJob

__all__ = ["Agenda"]


class Agenda:
    """Jobs by their number, in the order of cron.yaml; times are in unix seconds.

    A job that runs is not due: what it misses meanwhile is left out, as App Engine does.
    """

    def __init__(self, jobs: Sequence[CronJob], now: float) -> None:
        self.jobs = tuple(jobs)
        self._due: list[float | None] = [job.next(now) for job in self.jobs]

    def due(self, number: int) -> float | None:
        """When a job is due, None while it runs."""
        return self._due[number]

    def start_due(self, now: float) -> list[int]:
        """Start all jobs that are due; gives their numbers."""
        ready = [n for n, due in enumerate(self._due) if due is not None and due <= now]
        return [number for number in ready if self.start(number)]

    def start(self, number: int) -> bool:
        """Start a job now, due or not; False when it runs already. Raises IndexError."""
        if self._due[number] is None:
            return False
        self._due[number] = None
        return True

    def finish(self, number: int, now: float) -> None:
        """A job has ended."""
        self._due[number] = self.jobs[number].next(now)

    def next_due(self) -> float | None:
        """When the next job is due, None when there is none."""
        return min((due for due in self._due if due is not None), default=None)
