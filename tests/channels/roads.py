"""Every way in which a verb can be sent, behind one blocking call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb
from tornado.ioloop import IOLoop

import gae_pusher
from gae_pusher import Pusher

Call = Callable[..., Any]


def ndb_client() -> ndb.Client:
    """A client whose contexts need no Datastore as long as nothing is read or written."""
    return ndb.Client(project="demo-test", credentials=AnonymousCredentials())


@contextmanager
def _blocking(pusher: Pusher) -> Iterator[Call]:
    yield lambda verb, *args, **kwargs: getattr(pusher, verb)(*args, **kwargs)


@contextmanager
def _tasklets(pusher: Pusher) -> Iterator[Call]:
    with ndb_client().context():
        yield lambda verb, *args, **kwargs: getattr(pusher, f"{verb}_async")(
            *args, **kwargs
        ).result()


@contextmanager
def _tornado(pusher: Pusher) -> Iterator[Call]:
    loop = IOLoop(make_current=False)
    yield lambda verb, *args, **kwargs: loop.run_sync(
        lambda: getattr(pusher, verb)(*args, **kwargs)
    )
    loop.close()


@contextmanager
def _asyncio(pusher: Pusher) -> Iterator[Call]:
    with asyncio.Runner() as runner:

        async def call(verb: str, *args: Any, **kwargs: Any) -> Any:
            return await getattr(pusher, verb)(*args, **kwargs)

        yield lambda verb, *args, **kwargs: runner.run(call(verb, *args, **kwargs))


@dataclass(frozen=True)
class Road:
    """A channel type with its options. `calling(pusher)` gives a function that performs verbs.

    `reuses`: keeps connections. `names_garbage`: can tell an answer that is no HTTP, or too
    large, from a broken connection. `blocks`: may be called from any thread.
    """

    name: str
    channel_type: str
    calling: Callable[[Pusher], AbstractContextManager[Call]]
    options: dict[str, Any] = field(default_factory=dict)
    reuses: bool = True
    names_garbage: bool = True

    @property
    def blocks(self) -> bool:
        """Whether its verbs simply return."""
        return self.calling is _blocking

    def pusher(self, port: int, **options: Any) -> Pusher:
        """An app at that port of this machine, with one attempt for each request by default."""
        return self.patient_pusher(port, **{"retry_seconds": 0} | options)

    def patient_pusher(self, port: int, **options: Any) -> Pusher:
        """An app at that port of this machine with the default policy of retries."""
        settings = {"host": "127.0.0.1", "port": port, "ssl": False, "timeout": 10}
        channel_type = getattr(gae_pusher, self.channel_type)
        return Pusher(
            "3", "a-key", "a-secret", channel_type=channel_type, **settings | self.options | options
        )


ROADS = (
    Road("requests", "RequestsChannel", _blocking),
    Road("appengine-urllib3", "GoogleAppEngineChannel", _blocking, {"engine": "urllib3"}),
    Road("appengine-pycurl", "GoogleAppEngineChannel", _blocking, {"engine": "pycurl"}),
    Road("ndb-blocking", "GaeNdbChannel", _blocking),
    Road("ndb-urllib3", "GaeNdbChannel", _tasklets, {"engine": "urllib3"}),
    Road("ndb-pycurl", "GaeNdbChannel", _tasklets, {"engine": "pycurl"}),
    Road("tornado", "TornadoChannel", _tornado, reuses=False, names_garbage=False),
    Road("asyncio", "AsyncioChannel", _asyncio),
)
