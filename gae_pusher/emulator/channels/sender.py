"""Sending webhooks: one at a time per URL, four seconds each, again and again for five minutes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout

from gae_pusher.emulator.channels.clock import Clock
from gae_pusher.emulator.channels.log import Log
from gae_pusher.emulator.channels.settings import WebhookTiming
from gae_pusher.emulator.channels.timers import Timers
from gae_pusher.emulator.channels.webhooks import Delivery, retry_after

__all__ = ["Sender"]

MOST_WAITING: Final = 1_000
KEPT_DELIVERIES: Final = 200


class Sender:
    """Keeps the order of each URL's first attempts; a failed one waits aside for its next."""

    def __init__(self, timing: WebhookTiming, clock: Clock, log: Log) -> None:
        self._timing = timing
        self._clock = clock
        self._log = log
        self._session: ClientSession | None = None
        self._queues: dict[str, deque[Delivery]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._attempts: dict[str, int] = {}
        self._retries: Timers[Delivery] = Timers()
        self._kept: dict[str, Delivery] = {}
        self.woken: Callable[[], None] = _nothing

    def enqueue(self, delivery: Delivery) -> None:
        """Send a delivery as soon as its URL's earlier ones had their attempt."""
        self._keep(delivery)
        queue = self._queues.setdefault(delivery.url, deque())
        if len(queue) >= MOST_WAITING:
            self._note(delivery, 0, None, "dropped: too many webhooks wait for this URL", None)
            return
        queue.append(delivery)
        if delivery.url not in self._workers:
            loop = asyncio.get_running_loop()
            self._workers[delivery.url] = loop.create_task(self._work(delivery.url))

    def replay(self, delivery_id: str) -> bool:
        """Send a kept delivery once more, the same bytes; False when it is not kept any more."""
        delivery = self._kept.get(delivery_id)
        if delivery is not None:
            self.enqueue(delivery)
        return delivery is not None

    def next_due(self) -> float | None:
        """When the next retry is due."""
        return self._retries.next_due()

    def tick(self, now: float) -> None:
        """Start the retries that are due."""
        for delivery in self._retries.pop_due(now):
            self.enqueue(delivery)

    async def stop(self) -> None:
        """Drop what waits and close the connections."""
        workers = tuple(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _work(self, url: str) -> None:
        queue = self._queues[url]
        try:
            while queue:
                await self._attempt(queue.popleft())
        finally:
            del self._workers[url]
            del self._queues[url]

    async def _attempt(self, delivery: Delivery) -> None:
        attempt = self._attempts.pop(delivery.id, 0) + 1
        started = self._clock.now()
        status, problem = await self._post(delivery)
        now = self._clock.now()
        wait = None
        if problem is not None:
            wait = retry_after(attempt, now - delivery.created, self._timing)
        if wait is not None:
            self._attempts[delivery.id] = attempt
            self._retries.set(delivery, now + wait)
            self.woken()
        self._note(delivery, attempt, status, problem, wait, now - started)

    async def _post(self, delivery: Delivery) -> tuple[int | None, str | None]:
        """The status, and what was wrong if it was no success."""
        if self._session is None:
            self._session = ClientSession(headers={"User-Agent": "gae_pusher-emulator"})
        timeout = ClientTimeout(total=self._timing.timeout_seconds)
        try:
            async with self._session.post(
                delivery.url,
                data=delivery.body,
                headers=delivery.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                good = 200 <= response.status < 300
                return response.status, None if good else "not a 2xx answer"
        except TimeoutError:
            return None, f"no answer within {self._timing.timeout_seconds:g} s"
        except ClientConnectorError as error:
            return None, f"no connection: {error.strerror}"
        except (ClientError, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _keep(self, delivery: Delivery) -> None:
        self._kept[delivery.id] = delivery
        if len(self._kept) > KEPT_DELIVERIES:
            del self._kept[next(iter(self._kept))]

    def _note(
        self,
        delivery: Delivery,
        attempt: int,
        status: int | None,
        problem: str | None,
        retry_seconds: float | None,
        took_seconds: float = 0,
    ) -> None:
        self._log.add(
            "webhook",
            delivery.app_id,
            self._clock.wall(),
            id=delivery.id,
            url=delivery.url,
            attempt=attempt,
            status=status,
            problem=problem,
            retry_seconds=retry_seconds,
            took_seconds=round(took_seconds, 3),
            body=delivery.body.decode(),
        )


def _nothing() -> None:
    """Before a switchboard is there to be woken."""
