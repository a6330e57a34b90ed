"""What an engine does beside one exchange: choose, cap, queue, end."""

from __future__ import annotations

import gc
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from gae_pusher.config import Config
from gae_pusher.engines import Engine, new_engine
from gae_pusher.errors import ConfigurationError, TransportError, TransportTimeout
from gae_pusher.sansio.http import Request
from tests.scripted_server import Answer, Raw, ScriptedServer, Stall

PATIENCE_SECONDS = 20


@pytest.fixture(params=["urllib3", "pycurl"])
def name(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    return str(request.param)


def make(name: str | None, port: int, connections: int = 16, **options: Any) -> Engine:
    """An engine for this machine."""
    settings = {"host": "127.0.0.1", "port": port, "ssl": False} | options
    return new_engine(Config(app_id="3", key="k", secret="s", **settings), name, connections)


def post(port: int, scheme: str = "http") -> Request:
    """A request as a trigger makes it."""
    base_url = f"{scheme}://127.0.0.1:{port}"
    return Request("POST", base_url, "/apps/3/events", (("auth_key", "k"),), b"{}")


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it holds before our patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def own_threads() -> set[threading.Thread]:
    """The threads that engines started."""
    return {thread for thread in threading.enumerate() if thread.name == "gae_pusher"}


def test_a_request_that_cannot_be_begun_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of memory, say: the other requests are sent, on as many connections as before."""
    from gae_pusher.engines.transfers import Transfer

    prepare = Transfer.prepare

    def failing(self: Transfer, request: Request, timeout: float) -> None:
        if timeout == 7:
            raise MemoryError("no memory")
        prepare(self, request, timeout)

    monkeypatch.setattr(Transfer, "prepare", failing)
    with ScriptedServer() as server:
        engine = make("pycurl", server.port, connections=1)
        bad, good = engine.submit(post(server.port), 7), engine.submit(post(server.port), 5)
        assert isinstance(bad.exception(PATIENCE_SECONDS), MemoryError)
        assert good.result(PATIENCE_SECONDS).status == 200


def test_the_choice() -> None:
    """The fastest one that is installed is taken, a name insists, nonsense is refused."""
    assert type(make(None, 1)).__name__ == "PycurlEngine"
    assert type(make("urllib3", 1)).__name__ == "Urllib3Engine"
    with pytest.raises(ConfigurationError, match="pycurl or urllib3"):
        make("httpx", 1)
    with pytest.raises(ConfigurationError, match="at least 1"):
        make("urllib3", 1, connections=0)


def test_the_choice_without_pycurl() -> None:
    """Without the extra the default engine is taken, and insisting names the extra."""
    script = (
        "import sys; sys.modules['pycurl'] = None\n"
        "import gae_pusher\n"
        "from gae_pusher.channels.appengine import GoogleAppEngineChannel as kind\n"
        "def engine(**options):\n"
        "    app = gae_pusher.Pusher('3', 'k', 's', channel_type=kind, **options)\n"
        "    return app['a']._sender.engine\n"
        "print(type(engine()).__name__)\n"
        "try:\n    engine(engine='pycurl')\nexcept gae_pusher.ConfigurationError as error:\n"
        "    print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert output.startswith("Urllib3Engine\n")
    assert "gae-pusher[fast]" in output


def test_more_than_the_connections(name: str) -> None:
    """What was submitted beyond the connections waits its turn; no more are opened."""
    with ScriptedServer() as server:
        engine = make(name, server.port, connections=3)
        futures = [engine.submit(post(server.port), 10) for _ in range(200)]
        assert all(future.result(PATIENCE_SECONDS).body == b"{}" for future in futures)
        engine.close()
    assert len(server.requests) == 200
    assert server.connections <= 3


def test_all_connections_busy(name: str) -> None:
    """Whoever finds no free connection within the timeout has sent nothing, and is told."""
    with ScriptedServer([Stall()]) as server:
        engine = make(name, server.port, connections=1)

        def hold() -> None:
            with pytest.raises(TransportError):
                engine.send(post(server.port), 2)

        holder = threading.Thread(target=hold)
        holder.start()
        assert server.arrived.acquire(timeout=PATIENCE_SECONDS)
        with pytest.raises(TransportTimeout, match="busy") as caught:
            engine.send(post(server.port), 0.1)
        holder.join()
        engine.close()
    assert caught.value.sent is False


def test_failures_do_not_use_up_connections(name: str) -> None:
    """After many failures the engine still sends."""
    with ScriptedServer([Raw()] * 10 + [Answer()]) as server:
        engine = make(name, server.port, connections=2)
        for _ in range(5):
            with pytest.raises(TransportError):
                engine.send(post(server.port), 10)
            with pytest.raises(TransportError):
                engine.submit(post(server.port), 10).result(PATIENCE_SECONDS)
        assert engine.send(post(server.port), 10).status == 200
        assert engine.submit(post(server.port), 10).result(PATIENCE_SECONDS).status == 200
        engine.close()


def test_it_starts_lazily(name: str) -> None:
    """An engine that nobody used has no thread."""
    before = own_threads()
    engine = make(name, 1)
    assert own_threads() == before
    engine.close()


def test_close_finishes_what_was_submitted(name: str) -> None:
    """Closing lets go of threads and connections once everything submitted has its answer."""
    before = own_threads()
    with ScriptedServer() as server:
        engine = make(name, server.port, connections=2)
        engine.send(post(server.port), 10)
        futures = [engine.submit(post(server.port), 10) for _ in range(30)]
        engine.close()
        assert all(future.result(PATIENCE_SECONDS).status == 200 for future in futures)
        assert eventually(lambda: own_threads() <= before)
        for _ in range(server.connections):
            assert server.closed.acquire(timeout=PATIENCE_SECONDS)


def test_a_forgotten_engine_ends(name: str) -> None:
    """Who makes a Pusher for each request leaves no thread and no connection behind."""
    before = own_threads()
    with ScriptedServer() as server:
        engine = make(name, server.port)
        engine.send(post(server.port), 10)
        engine.submit(post(server.port), 10).result(PATIENCE_SECONDS)
        del engine
        gc.collect()
        assert eventually(lambda: own_threads() <= before)
        for _ in range(server.connections):
            assert server.closed.acquire(timeout=PATIENCE_SECONDS)


EXIT = """
import sys
from tests.engines.test_engines import make, post
name, port = sys.argv[1], int(sys.argv[2])
engine = make(name, port)
engine.send(post(port), 60)
for _ in range(100):
    engine.submit(post(port), 60)
"""


def test_the_interpreter_exits(name: str) -> None:
    """Requests without an answer do not keep the interpreter from exiting, nor make noise."""
    with ScriptedServer([Answer()] + [Stall()] * 200) as server:
        exited = subprocess.run(
            [sys.executable, "-W", "error", "-X", "dev", "-c", EXIT, name, str(server.port)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
            env=os.environ | {"PYTHONWARNINGS": "error"},
        )
    assert exited.stderr == ""


FORK = """
import os, sys
from tests.engines.test_engines import make, post
name, port, ca_certs = sys.argv[1], int(sys.argv[2]), sys.argv[3]
engine = make(name, port, ssl=True, ca_certs=ca_certs)
engine.send(post(port, "https"), 10)
engine.submit(post(port, "https"), 10).result()
if (child := os.fork()) == 0:
    engine.send(post(port, "https"), 10)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
engine.send(post(port, "https"), 10)
engine.submit(post(port, "https"), 10).result()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_the_end_of_a_forked_child(name: str) -> None:
    """A child that ends as a worker of gunicorn does leaves the parent's TLS connections alone."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as ca_certs, ScriptedServer(context=context) as server:
        command = [sys.executable, "-c", FORK, name, str(server.port), ca_certs]
        subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)
    connections = [request.connection for request in server.requests]
    parents, childs = connections[:2], connections[2]
    assert childs not in parents
    assert connections[3:] == parents
