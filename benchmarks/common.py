"""A fast local server, interleaved rounds, and tables of ratios."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    {temporary_paths}
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type application/json; return 200 '{{}}'; }}
    }}
}}
"""


@contextmanager
def fast_server() -> Iterator[tuple[int, str]]:
    """The port and the name of a server that answers every request with `{}` at once."""
    nginx = shutil.which("nginx")
    with _running_nginx(nginx) if nginx else _running_python() as server:
        yield server


@contextmanager
def _running_nginx(program: str) -> Iterator[tuple[int, str]]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        config = Path(folder, "nginx.conf")
        config.write_text(_NGINX.format(folder=folder, port=port, temporary_paths=paths))
        command = [program, "-c", str(config), "-p", folder, "-e", f"{folder}/error.log"]
        with subprocess.Popen(command) as process:
            try:
                _wait_for(port)
                yield port, "nginx"
            finally:
                process.terminate()


@contextmanager
def _running_python() -> Iterator[tuple[int, str]]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(listener,), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1], "a small Python server (no nginx found)"
    finally:
        process.terminate()
        process.join()
        listener.close()


def _serve(listener: socket.socket) -> None:
    import threading

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as reader:
            while reader.readline():
                length = 0
                while line := reader.readline().strip().lower():
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                reader.read(length)
                connection.sendall(_ANSWER)

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


@contextmanager
def one_core() -> Iterator[bool]:
    """Keep this thread, and what it starts, on one core; False where the system cannot.

    On loopback most of a quick exchange is the waking of the other core, in a virtual machine most
    of all: the same for every client, and nothing that anybody can do about.
    """
    if not hasattr(os, "sched_setaffinity"):  # it is Linux's
        yield False
        return
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_cores)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, all_cores)


def medians(
    subjects: Mapping[str, Callable[[], object]], *, rounds: int, calls: int
) -> dict[str, tuple[float, float]]:
    """Seconds and this process's CPU seconds for one call of each subject, medians of rounds.

    The subjects take short turns, so that what else the machine does falls on all alike.
    """
    for subject in subjects.values():
        subject()
    wall: dict[str, list[float]] = {name: [] for name in subjects}
    cpu: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            started, started_cpu = time.perf_counter(), time.process_time()
            for _ in range(calls):
                subject()
            cpu[name].append((time.process_time() - started_cpu) / calls)
            wall[name].append((time.perf_counter() - started) / calls)
    return {name: (statistics.median(wall[name]), statistics.median(cpu[name])) for name in wall}


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns, the first row as the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
