"""The fast engine, on libcurl: `pip install 'gae-pusher[fast]'`.

`send` performs in the calling thread, `submit` in the one thread of a multi interface.
"""

from __future__ import annotations

import queue
import time
import weakref
from concurrent.futures import Future

import pycurl

from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.base import Engine, PerProcess
from gae_pusher.engines.multi import Multi
from gae_pusher.engines.transfers import Transfer
from gae_pusher.sansio.http import Request, Response

__all__ = ["PycurlEngine"]


class PycurlEngine(Engine):
    """libcurl: `connections` for the callers of `send`, and as many for what was submitted."""

    def __init__(self, config: Config, connections: int) -> None:
        self._limit = connections
        self._state = PerProcess(lambda: _State(config, connections))
        weakref.finalize(self, _close, self._state)

    def send(self, request: Request, timeout: float) -> Response:
        """See Engine."""
        started = time.monotonic()
        state = self._state.get()
        try:
            transfer = state.idle.get(timeout=timeout)
        except queue.Empty:
            raise failures.busy(self._limit, timeout) from None
        transfer = transfer or Transfer(state.config)
        try:
            transfer.prepare(request, timeout - (time.monotonic() - started))
            try:
                transfer.curl.perform()
            except pycurl.error as error:
                raise transfer.failure(*error.args[:2]) from error
            return transfer.response()
        finally:
            state.give(transfer)

    def submit(self, request: Request, timeout: float) -> Future[Response]:
        """See Engine."""
        return self._state.get().multi.submit(request, timeout)

    def close(self) -> None:
        """See Engine."""
        _close(self._state)


class _State:
    """What one process owns: its idle handles, the youngest first, and the multi interface."""

    def __init__(self, config: Config, limit: int) -> None:
        self.config = config
        self.multi = Multi(config, limit)
        self.idle: queue.LifoQueue[Transfer | None] = queue.LifoQueue()
        self._closed = False
        for _ in range(limit):
            self.idle.put(None)

    def give(self, transfer: Transfer) -> None:
        """Take a handle back, its connection with it."""
        self.idle.put(transfer)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close what is idle now, and what is given back later."""
        self._closed = True
        self.multi.close()
        for transfer in [self.idle.get_nowait() for _ in range(self.idle.qsize())]:
            if transfer is not None:
                transfer.curl.close()
            self.idle.put(None)


def _close(state: PerProcess[_State]) -> None:
    own = state.pop()
    if own is not None:
        own.close()
