"""A real Datastore (Google's emulator and ours), a scripted Channels server, and faults between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import ndb

from gae_pusher import GaeNdbChannel, Outbox, Pusher
from gae_pusher.outbox.entry import NAMESPACE, OutboxEntry
from gae_pusher.testing.datastore import running_datastore
from tests.google_datastore import running_google_datastore
from tests.recording import Recorder, recording_server

_environments: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="session")
def google_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Google's emulator, once for all tests; each test has a project of its own."""
    with running_google_datastore(Path(tmp_path_factory.mktemp("google"))) as environment:
        yield environment


@pytest.fixture(scope="session")
def our_environment() -> Iterator[dict[str, str]]:
    """Our emulator, once for all tests."""
    with running_datastore() as server:
        yield server.environment()


class CommitFailed(grpc.RpcError, grpc.Call):
    """What gRPC raises when a call fails."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "a fault of this test"

    def __getattribute__(self, name: str) -> Any:
        if name in ("initial_metadata", "trailing_metadata"):
            return lambda: ()
        return super().__getattribute__(name)

    def add_callback(self, callback: Any) -> None: ...
    def cancel(self) -> None: ...
    def initial_metadata(self) -> Any: ...
    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> None: ...
    def trailing_metadata(self) -> Any: ...


@dataclass
class Stub:
    """Datastore's stub that counts calls and can have a commit fail, applied or not."""

    real: Any
    calls: list[str] = field(default_factory=list)
    commits: list[Any] = field(default_factory=list)
    # For each coming transactional commit: None lets it through, (code, applied) reports a failure.
    faults: list[tuple[grpc.StatusCode, bool] | None] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return Method(self, name)


@dataclass
class Method:
    stub: Stub
    name: str

    def future(self, request: Any, **options: Any) -> Any:
        stub = self.stub
        stub.calls.append(self.name)
        method = getattr(stub.real, self.name)
        if self.name != "commit":
            return method.future(request, **options)
        stub.commits.append(request)
        fault = stub.faults.pop(0) if stub.faults and request.transaction else None
        if fault is None:
            return method.future(request, **options)
        code, applied = fault
        if applied:
            method(request, **options)
        return Failed(code)


class Failed:
    """A call that has failed."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._error = CommitFailed(code)

    def exception(self) -> Exception:
        return self._error

    def result(self) -> Any:
        raise self._error

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)


@dataclass
class World:
    """A client with a Datastore of its own, a Channels server, and a Pusher between them."""

    client: ndb.Client
    stub: Stub
    channels: Recorder
    now: float = 1_795_000_000.0

    def pusher(self, *, outbox: Outbox | None = None, **options: Any) -> Pusher:
        outbox = outbox or self.outbox()
        # A breaker would stay open while this world's clock goes on by a minute.
        app = self.channels.app(channel_type=GaeNdbChannel, outbox=outbox, breaker_failures=0)
        return Pusher(**app | options)

    def outbox(self, **options: Any) -> Outbox:
        return Outbox(**{"clock": lambda: self.now} | options)

    def entries(self) -> list[OutboxEntry]:
        """What is in the outbox, asked in a context of its own."""
        if ndb.context.get_context(False) is not None:
            return list(OutboxEntry.query(namespace=NAMESPACE).fetch(use_cache=False))
        with self.client.context():
            return list(OutboxEntry.query(namespace=NAMESPACE).fetch())

    def sent(self) -> list[tuple[str, str, str]]:
        """Channel, event and data of everything that arrived, in order."""
        return [
            one
            for call in self.channels.calls
            if call.method == "POST"
            for one in events(call.json)
        ]


def events(body: Any) -> list[tuple[str, str, str]]:
    found = []
    for item in body.get("batch", [body]):
        for channel in item.get("channels") or [item["channel"]]:
            found.append((channel, item["name"], item["data"]))
    return found


@pytest.fixture(params=["google", "ours"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The whole road, once on Google's Datastore emulator and once on ours."""
    environment = request.getfixturevalue(
        "google_environment" if request.param == "google" else "our_environment"
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = ndb.Client(project=f"demo-{abs(hash(request.node.name)) % 10**12}")
    stub = Stub(client.stub)
    client.stub = stub
    with recording_server() as channels:
        yield World(client, stub, channels)
