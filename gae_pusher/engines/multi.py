"""libcurl's multi interface in a thread of its own."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
import weakref
from collections import deque
from concurrent.futures import Future
from contextlib import suppress

import pycurl

from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.transfers import Transfer
from gae_pusher.errors import PusherError
from gae_pusher.sansio.http import Request, Response

__all__ = ["Multi"]

_Job = tuple[Future[Response], Request, float]
_BELL = b"!"
_EVENTS = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}


class Multi:
    """Up to `limit` exchanges at a time, the others wait in order. The thread starts lazily."""

    def __init__(self, config: Config, limit: int) -> None:
        self._options = (config, limit)
        self._loop: _Loop | None = None
        self._lock = threading.Lock()

    def submit(self, request: Request, timeout: float) -> Future[Response]:
        """A future of the answer; `timeout` seconds from when its turn comes."""
        future: Future[Response] = Future()
        loop = self._loop or self._start()
        loop.put((future, request, timeout))
        return future

    def close(self) -> None:
        """End the thread once it has done what was submitted."""
        if self._loop is not None:
            self._loop.close()

    def _start(self) -> _Loop:
        with self._lock:
            if self._loop is None:
                self._loop = loop = _Loop(*self._options)
                threading.Thread(target=loop.run, name="gae_pusher", daemon=True).start()
                weakref.finalize(self, loop.close).atexit = False
            return self._loop


class _Loop:
    """Waits for sockets, for time and for jobs; only `put` and `close` are for other threads."""

    def __init__(self, config: Config, limit: int) -> None:
        self._config = config
        self._free: list[Transfer | None] = [None] * limit
        self._jobs: deque[_Job] = deque()
        self._active: dict[pycurl.Curl, tuple[Transfer, Future[Response]]] = {}
        self._over: deque[tuple[Future[Response], Response | PusherError]] = deque()
        self._bell, self._button = socket.socketpair()
        self._rung = self._closed = self._ended = False
        self._due: float | None = None
        # Not a selector: libcurl changes its mind about a socket several times in each exchange,
        # and for poll() that is no system call.
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, limit)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def put(self, job: _Job) -> None:
        """Add a job."""
        self._jobs.append(job)
        if self._free:  # else the loop looks at the jobs when one is free again
            self._ring()
        if self._ended:
            self._refuse()  # the loop may not have seen it any more

    def close(self) -> None:
        """Let the loop end after its last job."""
        self._closed = True
        self._ring()

    def run(self) -> None:
        """The thread."""
        try:
            while self._jobs or self._active or not self._closed:
                self._wait()
                self._collect()
                self._begin()
                self._tick()
                self._collect()
                self._deliver()
        finally:
            self._dispose()

    def _ring(self) -> None:
        # Cleared by the loop before it looks at the jobs: a job is seen, or rung for.
        if not self._rung and not self._ended:
            self._rung = True
            with suppress(OSError):  # the loop has just ended
                self._button.send(_BELL)

    def _wait(self) -> None:
        bell = self._bell.fileno()
        for fd, events in self._poll.poll(self._patience()):
            if fd == bell:
                self._bell.recv(1)
                self._rung = False
            else:
                self._multi.socket_action(fd, _ready(events))

    def _patience(self) -> int | None:
        """Milliseconds, None for as long as it takes."""
        if self._jobs and self._free:
            return 0
        if self._due is None:
            return None
        return max(math.ceil((self._due - time.monotonic()) * 1000), 0)

    def _collect(self) -> None:
        more = 1
        while more:
            more, done, failed = self._multi.info_read()
            for curl in done:
                transfer, future = self._release(curl)
                self._over.append((future, transfer.response()))
            for curl, code, reason in failed:
                transfer, future = self._release(curl)
                self._over.append((future, transfer.failure(code, reason)))

    def _release(self, curl: pycurl.Curl) -> tuple[Transfer, Future[Response]]:
        self._multi.remove_handle(curl)
        transfer, future = self._active.pop(curl)
        self._free.append(transfer)
        return transfer, future

    def _begin(self) -> None:
        while self._jobs and self._free:
            future, request, timeout = self._jobs.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                transfer = self._free.pop() or Transfer(self._config)
                transfer.prepare(request, timeout)
                self._multi.add_handle(transfer.curl)
            except Exception as error:  # out of memory, say: one request fails, not the loop
                self._free.append(None)
                future.set_exception(error)
            else:
                self._active[transfer.curl] = transfer, future

    def _tick(self) -> None:
        if self._due is not None and self._due <= time.monotonic():
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _deliver(self) -> None:
        """Settle futures all at once, when the next requests are on their way.

        Who waits for one takes the interpreter as soon as libcurl is called, and that is all of
        the time before this and after it.
        """
        while self._over:
            future, outcome = self._over.popleft()
            if isinstance(outcome, Response):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def _watch(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            try:  # noqa: SIM105 - suppress() takes longer than all the rest, in each exchange
                self._poll.unregister(fd)
            except KeyError:
                pass
        else:
            self._poll.register(fd, _EVENTS[what])

    def _set_timer(self, milliseconds: int) -> None:
        self._due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _dispose(self) -> None:
        """Leave nothing open and no future unsettled, whatever ended the loop."""
        self._ended = True
        self._deliver()
        self._refuse()
        for curl, (transfer, future) in self._active.items():
            self._multi.remove_handle(curl)
            future.set_exception(transfer.failure(pycurl.E_ABORTED_BY_CALLBACK, "it was closed"))
        for free in self._free:
            if free is not None:
                free.curl.close()
        self._multi.close()
        self._bell.close()
        self._button.close()

    def _refuse(self) -> None:
        with suppress(IndexError):
            while True:
                future, request, _ = self._jobs.popleft()
                if future.set_running_or_notify_cancel():
                    future.set_exception(failures.unconnected(request, "the engine was closed"))


def _ready(events: int) -> int:
    """What poll() saw in libcurl's words; it finds out itself what is wrong with a socket."""
    flags = pycurl.CSELECT_OUT if events & select.POLLOUT else 0
    return flags | pycurl.CSELECT_IN if events & ~select.POLLOUT else flags
