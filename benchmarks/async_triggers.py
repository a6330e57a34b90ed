"""Many events of one turn of NDB's loop, beside the official package: `... async_triggers`."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pusher
from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb

import gae_pusher
from benchmarks.common import fast_server, table
from benchmarks.delayed import delayed_server
from benchmarks.epoll import post_all
from gae_pusher.sansio.http import Request

EVENTS = 10_000
ROUNDS = 5
DELAY_SECONDS = 0.05
APP = ("3", "a-key", "a-secret")
DATA = {"some": "data"}
# Times as fast as pusher sequential, from the project's own aims.
GOALS = {
    (0, "urllib3, 16"): 15,
    (0, "pycurl, 16"): 45,
    (1, "urllib3, 16"): 145,
    (1, "pycurl, 16"): 145,
    (1, "urllib3, 64"): 300,
    (1, "pycurl, 64"): 440,
}
Subject = tuple[int, Callable[[int], None]]


def run() -> str:
    """Three tables: no delay, 50 ms of delay, and what pending futures cost."""
    with fast_server() as (port, server):
        parts = [_table(f"{server}, no delay", _measured(port, 0), 0)]
    with delayed_server(DELAY_SECONDS) as port:
        parts.append(_table("a server that answers after 50 ms", _measured(port, 1), 1))
    return "\n\n".join([*parts, _futures()])


def _subjects(port: int, delayed: int) -> dict[str, Subject]:
    """Functions that trigger about `EVENTS` events, and how many they trigger in truth."""
    few = 20 if delayed else 500
    subjects: dict[str, Subject] = {
        "pusher 3.3.4, one after the other": (few, lambda n: _sequential(port, n)),
        "pusher 3.3.4, trigger_batch in 16 threads": (
            1_600 if delayed else 3_000,
            lambda n: _pool(port, n),
        ),
    }
    for connections in (16, 64) if delayed else (16,):
        for engine in ("urllib3", "pycurl"):
            subjects[f"{engine}, {connections}"] = (EVENTS, _ours(port, engine, connections))
        posts = _posts(port)
        subjects[f"epoll client, {connections}"] = (
            EVENTS,
            lambda n, c=connections, p=posts: post_all(port, p, c),
        )
        subjects[f"epoll client that encodes and signs, {connections}"] = (
            EVENTS,
            lambda n, c=connections: post_all(port, _made(port, n), c),
        )
    return subjects


def _measured(port: int, delayed: int) -> dict[str, tuple[float, float]]:
    """Seconds and CPU seconds for one event of each subject, medians of rounds in turns."""
    subjects = _subjects(port, delayed)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for number in range(ROUNDS + 1):
        for name, (events, call) in subjects.items():
            gc.collect()
            began, cpu = time.perf_counter(), time.process_time()
            call(events)
            seconds, used = time.perf_counter() - began, time.process_time() - cpu
            if number:  # the first round connects
                times[name].append((seconds / events, used / events))
    return {
        name: (
            statistics.median(wall for wall, _ in values),
            statistics.median(cpu for _, cpu in values),
        )
        for name, values in times.items()
    }


def _table(what: str, result: dict[str, tuple[float, float]], delayed: int) -> str:
    wall, cpu = result["pusher 3.3.4, one after the other"]
    pool, _ = result["pusher 3.3.4, trigger_batch in 16 threads"]
    rows = [(what, "events/s", "x sequential", "goal", "x pool", "CPU us/event", "CPU 1/x")]
    for name, (seconds, used) in result.items():
        goal = GOALS.get((delayed, name), "")
        rows.append(
            (
                name,
                f"{1 / seconds:.0f}",
                f"{wall / seconds:.1f}",
                str(goal),
                f"{pool / seconds:.2f}",
                f"{used * 1e6:.1f}",
                f"{cpu / used:.1f}",
            )
        )
    return table(rows)


def _sequential(port: int, count: int) -> None:
    app = _official(port)
    for _ in range(count):
        app.trigger("a_channel", "an_event", DATA)


def _pool(port: int, count: int) -> None:
    app = _official(port)
    batch = [{"channel": "a_channel", "name": "an_event", "data": DATA}] * 10
    with ThreadPoolExecutor(16) as threads:
        for done in [
            threads.submit(app.trigger_batch, [dict(each) for each in batch])
            for _ in range(count // 10)
        ]:
            done.result()


def _official(port: int) -> Any:
    return pusher.Pusher(*APP, ssl=False, host="127.0.0.1", port=port)


def _ours(port: int, engine: str, connections: int) -> Callable[[int], None]:
    app = _app(port, engine=engine, connections=connections)

    def trigger(count: int) -> None:
        with _client().context():
            channel = app["a_channel"]
            futures = [channel.trigger_async("an_event", DATA) for _ in range(count)]
            gae_pusher.gather(futures).result()

    return trigger


def _app(port: int, **options: Any) -> gae_pusher.Pusher:
    where = {"ssl": False, "host": "127.0.0.1", "port": port, "timeout": 60}
    kind = gae_pusher.GaeNdbChannel
    return gae_pusher.Pusher(*APP, channel_type=kind, **where, **options)


def _client() -> Any:
    return ndb.Client(project="demo-benchmark", credentials=AnonymousCredentials())


def _posts(port: int) -> list[bytes]:
    """The requests of EVENTS events as bytes, signed and ready."""
    return _made(port, 10) * (EVENTS // 10)


def _made(port: int, count: int) -> list[bytes]:
    """The requests of so many events as bytes, each event encoded, each request signed."""
    verbs, sender = _app(port)._verbs, _app(port).sender
    item = {"channel": "a_channel", "name": "an_event", "data": DATA}
    batches = [verbs.trigger_batch([item] * 10) for _ in range(count // 10)]
    requests = [next(sender.steps(batch)).request for batch in batches]
    return [_bytes(request, port) for request in requests]


def _bytes(request: Request, port: int) -> bytes:
    body = request.body or b""
    head = f"POST {request.url.partition(str(port))[2]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _futures() -> str:
    """What NDB's side costs without a network: memory of pending events, time of gathering."""
    rows = [("without a network", "measured", "goal")]
    with _client().context():
        channel = _app(1)["a_channel"]
        tracemalloc.start()
        futures = [channel.trigger_async("an_event", DATA) for _ in range(EVENTS)]
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rows.append(("MB for 10,000 pending", f"{size / 1e6:.1f}", "15"))
        for future in futures:
            future.cancel()
    for count in (1_250, 5_000):
        rows.append((f"us a future, gather of {count}", f"{_gathering(count):.2f}", "10"))
    return table(rows)


def _gathering(count: int) -> float:
    results = []
    for _ in range(9):
        futures = [ndb.Future() for _ in range(count)]
        began = time.process_time()
        gathered = gae_pusher.gather(futures)
        for future in futures:
            future.set_result(True)
        assert gathered.done()
        results.append((time.process_time() - began) / count * 1e6)
    return statistics.median(results)
