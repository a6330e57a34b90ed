"""Sends what is due, and tells the queue what came of it."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from gae_pusher.emulator.tasks.engine import Engine
from gae_pusher.emulator.tasks.outgoing import outgoing
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.task import Dispatch, HttpTarget, Outcome, State, Task

__all__ = ["Dispatcher"]

MOST_READ: Final = 1_048_576
LONGEST_WAIT: Final = 60  # the computer's clock may be set meanwhile


class Dispatcher:
    """One loop that asks for dispatches, one asyncio task for each of them."""

    def __init__(self, engine: Engine, target: str) -> None:
        self.target = target
        self._engine = engine
        self._deliveries: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to dispatch."""
        # A connection that is kept would often be dead: apps restart all the time here.
        connector = TCPConnector(force_close=True, limit=0)
        self._session = ClientSession(connector=connector, auto_decompress=False)
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Drop the attempts under way; they count as never ended."""
        running = [task for task in (self._loop, *self._deliveries) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def deliver(self, queue: Queue, dispatch: Dispatch) -> None:
        """Do a dispatch that the queue decided."""
        delivery = asyncio.get_running_loop().create_task(self._deliver(queue, dispatch))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

    async def _run(self) -> None:
        while True:
            with self._engine.locked() as (queues, now):
                dispatches = queues.due(now)
                due = queues.next_due(now)
            for queue, dispatch in dispatches:
                self.deliver(queue, dispatch)
            wait = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0, due - now))
            await self._engine.changed(wait)

    async def _deliver(self, queue: Queue, dispatch: Dispatch) -> None:
        outcome = await self._attempt(dispatch)
        with self._engine.changing() as (_, now):
            task = queue.finish(dispatch, outcome, now)
        self._engine.note("attempt", queue.name.short, **_facts(task, dispatch, outcome, now))

    async def _attempt(self, dispatch: Dispatch) -> Outcome:
        deadline = dispatch.deadline_seconds or self._engine.settings.deadline_seconds
        request = outgoing(dispatch, self.target)
        assert self._session is not None
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding"),
                timeout=ClientTimeout(total=deadline),
                allow_redirects=False,
            ) as response:
                await _drain(response)
                return _answered(response)
        except TimeoutError:
            return Outcome(None, f"no answer within {deadline:g} s", timed_out=True)
        except (ClientError, OSError, ValueError) as error:
            return Outcome(None, " ".join(f"{type(error).__name__}: {error}".split()))


def _answered(response: ClientResponse) -> Outcome:
    if 200 <= response.status < 300:
        return Outcome(response.status)
    retry_after = response.headers.get("Retry-After", "")
    return Outcome(
        response.status,
        f"the answer was {response.status}",
        retry_after_seconds=float(retry_after) if retry_after.isdecimal() else None,
    )


async def _drain(response: ClientResponse) -> None:
    """Read an answer to its end, which a broken one does not have; nobody needs the body."""
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        if read > MOST_READ:
            return


def _facts(task: Task, dispatch: Dispatch, outcome: Outcome, now: float) -> dict[str, object]:
    target = dispatch.target
    return {
        "task": dispatch.task.short,
        "method": target.method,
        "url": target.url if isinstance(target, HttpTarget) else target.relative_uri,
        "attempt": dispatch.retries + 1,
        "status": outcome.status,
        "problem": outcome.problem,
        "took_seconds": round(now - dispatch.dispatched, 3),
        "state": task.state.value,
        "retry_seconds": _until(task, now) if task.state is State.SCHEDULED else None,
    }


def _until(task: Task, now: float) -> float:
    return round(max(0.0, task.scheduled - now), 3)
