"""The local Datastore beside the least that can be, and Google's emulators.

The least are a bare gRPC server that answers from a dict, and for the share of the client a socket
that sends canned answers.

    python -m benchmarks.datastore [--rounds 300] [--most 100000]

Each server runs in a process of its own. Calls to the servers take turns, so that whatever else the
machine does hits all of them alike. Times are medians.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median

from google.cloud import ndb

from gae_pusher.emulator.datastore.server import DatastoreServer
from tests.emulator.datastore.judges import DATASTORE, FIRESTORE, running_judge
from tests.emulator.datastore.raw import Raw

SIZES = (1_000, 10_000, 100_000)
PAGE = 20
OURS, BARE, CLIENT = "gae_pusher", "bare gRPC, a dict", "the client alone"


class Item(ndb.Model):
    """An entity of ordinary size."""

    number = ndb.IntegerProperty()
    group = ndb.StringProperty()
    price = ndb.FloatProperty()
    sold = ndb.BooleanProperty()
    changed = ndb.DateTimeProperty(auto_now=True)


@contextmanager
def served(kind: str) -> Iterator[tuple[str, int]]:
    """HOST:PORT and process id of one of our servers in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.datastore", "--serve", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def serve(kind: str) -> None:
    """Tell the address, and serve until standard input ends."""
    if kind == "bare":
        from benchmarks.bare_datastore import running_bare_server as running
    elif kind == "canned":
        from benchmarks.canned_datastore import running_canned_server as running
    else:
        running = DatastoreServer
    with running() as server:
        print(f"127.0.0.1:{server.port}", flush=True)
        sys.stdin.read()


def in_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each call."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    order = random.Random(7)
    for _ in range(rounds):
        # Whoever comes after a Java server always would pay for what that does behind its answer.
        for name, call in order.sample(list(calls.items()), len(calls)):
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in taken.items()}


def table(title: str, rows: Sequence[Sequence[str]]) -> str:
    lines = [title, ""]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        lines.append("  " + line.rstrip())
    return "\n".join(lines) + "\n"


def ready() -> str:
    """From the call of `start` to the first answer."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        with DatastoreServer() as server:
            Raw(f"127.0.0.1:{server.port}").lookup()
            taken.append(time.perf_counter() - start)
    return table("Ready after import", [("gae_pusher", f"{median(taken) * 1e3:.1f} ms")])


class Client:
    """google-cloud-ndb on one server; several contexts cannot be open at once in a thread."""

    def __init__(self, address: str) -> None:
        os.environ.update(DATASTORE_EMULATOR_HOST=address, GOOGLE_CLOUD_PROJECT="demo")
        self._client = ndb.Client()
        self._namespace = f"bench{time.time_ns()}"
        self.call(lambda: Item(id=1, number=1, group="a", price=1.5, sold=True).put())

    def call(self, work: Callable[[], object]) -> object:
        with self._client.context(cache_policy=False, namespace=self._namespace):
            return work()


def put_and_get(addresses: dict[str, str], rounds: int) -> str:
    clients = {name: Client(address) for name, address in addresses.items()}
    key = ndb.Key

    def put() -> object:
        return Item(id=1, number=1, group="a", price=1.5, sold=True).put()

    def get() -> object:
        return key(Item, 1).get()

    rows = [("", *(name for name in clients))]
    for name, work in (("put", put), ("get by key", get)):
        calls = {n: (lambda c=client, w=work: c.call(w)) for n, client in clients.items()}
        in_turns(calls, 20)
        taken = in_turns(calls, rounds)
        base = taken[OURS]
        shown = (f"{s * 1e3:.2f} ms ({s / base:.2f})" for s in taken.values())
        rows.append((name, *shown))
    return table("One entity through google-cloud-ndb; in brackets, times gae_pusher's", rows)


def fill(raw: Raw, count: int) -> None:
    for start in range(0, count, 500):
        raw.put(
            *(
                raw.entity(
                    raw.key("Item", number + 1),
                    number=number,
                    group=f"group {number % 100}",
                    price=number / 7,
                    sold=number % 2 == 0,
                    title=f"item {number} of the catalogue",
                )
                for number in range(start, min(start + 500, count))
            )
        )


def questions(raw: Raw, count: int) -> dict[str, Callable[[], object]]:
    """Queries with few results, whatever the size of the data."""
    middle = count // 2

    def ask(*arguments: object, **fields: object) -> Callable[[], object]:
        return lambda: raw.run(raw.query("Item", *arguments, limit=PAGE, **fields))

    return {
        "inequality, order": ask(("number", ">", middle), ["number"]),
        "equality, order descending": ask(("group", "=", "group 7"), ["-number"]),
        "two equalities": ask(("and", ("group", "=", "group 7"), ("sold", "=", False))),
        "IN, order": ask(("group", "in", ["group 1", "group 2", "group 3"]), ["price"]),
        "projection": ask(("price", ">", 10.0), projection=["price", "group"]),
        "keys only, kind": ask(projection=["__key__"]),
    }


def scaling(most: int) -> Iterator[str]:
    sizes = [size for size in SIZES if size <= most]
    found: dict[str, list[str]] = {}
    memory = [f"entities: {size:,}" for size in sizes]
    with served("ours") as (address, process):
        for size in sizes:
            raw = Raw(address, namespace=f"size{size}")
            fill(raw, size)
            for name, ask in questions(raw, size).items():
                start = time.perf_counter()
                ask()
                first = time.perf_counter() - start
                usual = in_turns({"": ask}, 30)[""]
                found.setdefault(name, []).append(f"{usual * 1e3:.2f} ms (first {first * 1e3:.0f})")
        resident = resident_megabytes(process)
    yield table(
        f"Queries with {PAGE} results over growing data; the first of its kind builds the index",
        [("", *memory), *((name, *times) for name, times in found.items())],
    )
    total = sum(sizes)
    yield table(
        "Memory", [(f"{total:,} entities with all these indexes", f"{resident:.0f} MB resident")]
    )


def resident_megabytes(process: int) -> float:
    told = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process)], check=True, capture_output=True, text=True
    )
    return int(told.stdout) / 1024


def ten_thousand(addresses: dict[str, str], rounds: int) -> str:
    """Whole results of queries over 10,000 entities."""
    count = 10_000
    raws = {name: Raw(address, namespace="many") for name, address in addresses.items()}
    for raw in raws.values():
        fill(raw, count)

    def ask(raw: Raw, **fields: object) -> Callable[[], object]:
        return lambda: raw.all_results(raw.query("Item", **fields))

    asked: dict[str, dict[str, object]] = {
        "all 10,000": {},
        "all, by number descending": {"order": ["-number"]},
        "100 by equality": {"where": ("group", "=", "group 7")},
        "5,000 by inequality": {"where": ("number", ">=", 5_000)},
        "10,000 keys": {"projection": ["__key__"]},
        "10,000 projected": {"projection": ["price"]},
    }
    rows = [("", *raws)]
    for name, fields in asked.items():
        calls = {n: ask(raw, **fields) for n, raw in raws.items()}
        in_turns(calls, 2)
        taken = in_turns(calls, rounds)
        base = taken[OURS]
        rows.append((name, *(f"{s * 1e3:.1f} ms ({s / base:.2f})" for s in taken.values())))
    return table("Queries over 10,000 entities, without a client's work on results", rows)


def measure(rounds: int, most: int) -> Iterator[str]:
    """The tables, one after the other; Google's emulators are in them where they are installed."""
    yield ready()
    with ExitStack() as stack:
        addresses = {OURS: stack.enter_context(served("ours"))[0]}
        least = {
            BARE: stack.enter_context(served("bare"))[0],
            CLIENT: stack.enter_context(served("canned"))[0],
        }
        google = {}
        if shutil.which("gcloud") and shutil.which("java"):
            google["Datastore emulator"] = stack.enter_context(running_judge(DATASTORE))
            google["Firestore emulator"] = stack.enter_context(running_judge(FIRESTORE))
        yield put_and_get({**addresses, **least, **google}, rounds)
        yield ten_thousand({**addresses, **google}, max(3, rounds // 30))
    yield from scaling(most)


def run() -> str:
    """All tables, for `python -m benchmarks datastore`."""
    return "\n".join(measure(300, SIZES[-1]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--serve", choices=("ours", "bare", "canned"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.serve)
        return
    for shown in measure(options.rounds, options.most):
        print(shown, flush=True)


if __name__ == "__main__":
    main()
