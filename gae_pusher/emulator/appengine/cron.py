"""Runs the jobs of cron.yaml, as App Engine's cron service does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientError

from gae_pusher.emulator.activity import Activity, Tell
from gae_pusher.emulator.appengine.agenda import Agenda
from gae_pusher.emulator.appengine.cron_yaml import CRON, CronJob, parse_cron_yaml
from gae_pusher.emulator.appengine.instance import Instance
from gae_pusher.emulator.appengine.supervisor import Crashed
from gae_pusher.errors import ConfigurationError

__all__ = ["Cron"]

LONGEST_WAIT: Final = 60  # the computer's clock may be set meanwhile


class Cron:
    """Asks the app for what is due. `last` has the facts of each job's latest run.

    Raises ConfigurationError for a bad cron.yaml.
    """

    def __init__(
        self, instance: Instance, tell: Tell, clock: Callable[[], float] = time.time
    ) -> None:
        self._instance = instance
        self._tell = tell
        self._clock = clock
        self.agenda = Agenda(_jobs(instance.directory), clock())
        self.last: dict[CronJob, dict[str, Any]] = {}
        self._changed = asyncio.Event()
        self._runs: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to follow the clock."""
        self._launch(self._follow())

    async def stop(self) -> None:
        """Drop the runs under way."""
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)

    def reload(self) -> None:
        """Take a cron.yaml that has changed; a bad one leaves the former in force."""
        try:
            self.agenda = Agenda(_jobs(self._instance.directory), self._clock())
        except ConfigurationError as error:
            self._say("problem", text=f"{error}; the former cron.yaml stays in force")
        else:
            self._say("note", text=f"{CRON} changed: {len(self.agenda.jobs)} jobs")
        self._changed.set()

    async def run_now(self, url: str) -> dict[str, Any] | None:
        """Run a job of that path at once; the facts of the run, None when it runs already.

        Raises LookupError when cron.yaml has none.
        """
        numbers = [n for n, job in enumerate(self.agenda.jobs) if job.url == url]
        if not numbers:
            raise LookupError(f"{CRON} has no job with url {url}")
        for number in numbers:
            if self.agenda.start(number):
                facts: dict[str, Any] = await self._launch(self._run(self.agenda, number))
                return facts
        return None

    async def _follow(self) -> None:
        while True:
            for number in self.agenda.start_due(self._clock()):
                self._launch(self._run(self.agenda, number))
            due = self.agenda.next_due()
            wait = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0, due - self._clock()))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            self._changed.clear()

    async def _run(self, agenda: Agenda, number: int) -> dict[str, Any]:
        job, started = agenda.jobs[number], self._clock()
        status, problem = await self._ask(job)
        now = self._clock()
        agenda.finish(number, now)
        self._changed.set()
        facts = {"url": job.url, "schedule": job.text, "status": status, "problem": problem}
        self.last[job] = facts | {"took_seconds": round(now - started, 3)}
        self._tell(Activity("cron", now, self.last[job]))
        return self.last[job]

    async def _ask(self, job: CronJob) -> tuple[int | None, str | None]:
        deadline = self._instance.manifest.deadline_seconds
        try:
            status = await self._instance.proxy.ask_as_cron(job.url, deadline)
        except TimeoutError:
            return None, f"no answer within {deadline} s"
        except Crashed:
            return None, "the app did not start"
        except ClientError as error:
            return None, f"{type(error).__name__}: {error}"
        return status, None if 200 <= status < 300 else f"the answer was {status}"

    def _launch(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        return task

    def _say(self, kind: str, **facts: str) -> None:
        self._tell(Activity(kind, self._clock(), facts))


def _jobs(directory: Path) -> tuple[CronJob, ...]:
    file = directory / CRON
    return parse_cron_yaml(file.read_text("utf-8")) if file.is_file() else ()
