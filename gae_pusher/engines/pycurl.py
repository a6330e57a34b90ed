"""The fast engine, on libcurl: `pip install 'gae-pusher[fast]'`.

`send` performs in the calling thread, `submit` in the one thread of a multi interface.
"""

from __future__ import annotations

import os
import weakref
from concurrent.futures import Future

import pycurl

from gae_pusher.config import Config
from gae_pusher.engines.base import Engine
from gae_pusher.engines.multi import Multi
from gae_pusher.engines.processes import PerProcess
from gae_pusher.engines.slots import Slots
from gae_pusher.engines.transfers import Transfer
from gae_pusher.sansio.http import Request, Response

__all__ = ["PycurlEngine"]


class PycurlEngine(Engine):
    """libcurl: `connections` for the callers of `send`, and as many for what was submitted."""

    def __init__(self, config: Config, connections: int) -> None:
        self._config = config
        self._state = PerProcess(lambda: _State(config, connections))
        weakref.finalize(self, _close, self._state)

    def send(self, request: Request, timeout: float) -> Response:
        """See Engine."""
        state = self._state.get()
        kept, left = state.slots.take(timeout)
        transfer = kept or Transfer(self._config)
        try:
            transfer.prepare(request, left)
            transfer.curl.perform()
            return transfer.response()
        except pycurl.error as error:
            raise transfer.failure(*error.args[:2]) from error
        finally:
            state.give(transfer)

    def submit(self, request: Request, timeout: float) -> Future[Response]:
        """See Engine."""
        return self._state.get().multi.submit(request, timeout)

    def close(self) -> None:
        """See Engine."""
        _close(self._state)


class _State:
    """What one process owns: its handles, each with a connection, and the multi interface."""

    def __init__(self, config: Config, limit: int) -> None:
        self.multi = Multi(config, limit)
        self.slots: Slots[Transfer] = Slots(limit)
        self._closed = False
        _states.add(self)

    def give(self, transfer: Transfer) -> None:
        """Take a handle back, its connection with it."""
        if self._closed:
            transfer.curl.close()
        self.slots.give(None if self._closed else transfer)

    def close(self) -> None:
        """Close what is idle now, and what is given back later."""
        self._closed = True
        self.multi.close()
        while self.slots.idle:
            self.slots.idle.pop().curl.close()


_states: weakref.WeakSet[_State] = weakref.WeakSet()


def _let_go() -> None:
    """In a forked child: keep libcurl from saying goodbye on connections of the parent.

    Its handles would end their TLS sessions when the child ends.
    """
    with open(os.devnull, "r+b", buffering=0) as nowhere:
        for state in _states:
            for transfer in state.slots.idle:
                transfer.disconnect(nowhere.fileno())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def _close(state: PerProcess[_State]) -> None:
    own = state.pop()
    if own is not None:
        own.close()
