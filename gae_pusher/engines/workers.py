"""Threads that send, for an engine whose library blocks."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["Workers"]

T = TypeVar("T")
_Task = Callable[[], None]


class Workers:
    """Up to `size` daemon threads, started when there is work.

    Unlike those of concurrent.futures they do not keep the interpreter from exiting, and they
    end when their owner is closed or forgotten, after what was submitted before.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, self._tasks.put, None)

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """A future of what `function` returns or raises."""
        future: Future[T] = Future()
        self._tasks.put(lambda: _run(future, function))
        if not self._idle.acquire(blocking=False):
            self._start()
        return future

    def _start(self) -> None:
        with self._lock:
            if self._started == self._size:
                return
            self._started += 1
        arguments = (self._tasks, self._idle)
        threading.Thread(target=_work, args=arguments, name="gae_pusher", daemon=True).start()


def _work(tasks: SimpleQueue[_Task | None], idle: threading.Semaphore) -> None:
    while (task := tasks.get()) is not None:
        task()
        del task  # an idle thread keeps no request alive
        idle.release()
    tasks.put(None)  # for the next thread


def _run(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del future  # else the error's traceback would keep the future alive, and it the error
