"""The three apps between the local Channels server and the unmodified pusher-js."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from gae_pusher import (
    ChannelAuthorizationApp,
    ChannelOccupied,
    MemberAdded,
    Pusher,
    UserAuthenticationApp,
    WebhookApp,
)
from gae_pusher.emulator.channels import App, Settings, WebhookEndpoint, WebhookTiming
from gae_pusher.sansio.signing import Credentials
from gae_pusher.testing import running_server
from gae_pusher.wsgi.request import BrowserRequest
from tests.conftest import NODE_DIR

WAIT_SECONDS = 15
PAGE = """
import Pusher from "pusher-js";
const { key, port, site, expected } = JSON.parse(process.argv[1]);
const headers = { Authorization: "Bearer ada" };
const pusher = new Pusher(key, {
  cluster: "local", wsHost: "127.0.0.1", wsPort: port, forceTLS: false, enabledTransports: ["ws"],
  channelAuthorization: { endpoint: site + "/pusher/auth", headers },
  userAuthentication: { endpoint: site + "/pusher/user-auth", headers },
});
const news = {};
const tell = (what) => (data) => {
  news[what] = data ?? null;
  if (Object.keys(news).length === expected.length + 1) {
    console.log(JSON.stringify(news));
    process.exit();
  }
};
pusher.connection.bind("message", ({ event, data }) => {
  if (event === "pusher:signin_success") tell("signin")(data);
});
pusher.signin();
for (const name of expected) {
  const channel = pusher.subscribe(name);
  channel.bind("pusher:subscription_succeeded", tell(name));
  channel.bind("pusher:subscription_error", tell(name));
}
"""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class ThreadingWSGIServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def site(routes: dict[str, Callable[..., Any]]) -> Iterator[str]:
    """Serve apps by path; gives the base URL."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        return routes[environ["PATH_INFO"]](environ, start_response)

    httpd = make_server("127.0.0.1", 0, app, ThreadingWSGIServer, Quiet)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


class Stage:
    """An app with rules and handlers; what its webhooks brought is in `heard`."""

    def __init__(self) -> None:
        self.pusher = Pusher(
            "81", "key", "secret", encryption_master_key_base64=base64.b64encode(b"k" * 32).decode()
        )
        self.webhooks = WebhookApp(self.pusher)
        self.channels = ChannelAuthorizationApp(self.pusher)
        self.users = UserAuthenticationApp(self.pusher)
        self.heard: Queue[Any] = Queue()
        self.webhooks.on()(self.heard.put)
        self.channels.authorize("private-desk-{name}")(self.is_visitor)
        self.channels.authorize("private-encrypted-{name}")(self.is_visitor)
        self.channels.authorize("presence-{name}")(
            lambda request, name: {"user_id": self.visitor(request), "user_info": {"at": name}}
        )
        self.users.user(lambda request: {"id": self.visitor(request)})

    @property
    def routes(self) -> dict[str, Callable[..., Any]]:
        return {
            "/pusher/auth": self.channels,
            "/pusher/user-auth": self.users,
            "/pusher/webhook": self.webhooks,
        }

    def visitor(self, request: BrowserRequest) -> str:
        return (request.header("Authorization") or "").removeprefix("Bearer ")

    def is_visitor(self, request: BrowserRequest, name: str) -> bool:
        return self.visitor(request) == name


def visit(node: str, stage: Stage, until: object, *channels: str) -> dict[str, Any]:
    """What pusher-js says of sign-in and subscriptions, when `until` was heard of webhooks, too."""
    timing = WebhookTiming(batch_seconds=0.01, first_retry_seconds=0.01)
    with site(stage.routes) as url:
        app = App(
            "81",
            (Credentials("key", "secret"),),
            webhooks=(WebhookEndpoint(f"{url}/pusher/webhook"),),
        )
        with running_server([app], Settings(webhook_timing=timing)) as server:
            options = {"key": "key", "port": server.port, "site": url, "expected": channels}
            finished = subprocess.run(
                [node, "--input-type=module", "-e", PAGE, json.dumps(options)],
                cwd=NODE_DIR,
                timeout=WAIT_SECONDS,
                stdout=subprocess.PIPE,
                check=True,
            )
            wait_until_heard(stage, until)
            return dict(json.loads(finished.stdout))


def wait_until_heard(stage: Stage, wanted: object) -> None:
    while stage.heard.get(timeout=WAIT_SECONDS) != wanted:
        pass


def test_pusher_js_and_webhooks(node: str) -> None:
    """pusher-js subscribes and signs in with our tokens, and hears our 403; the webhooks come."""
    news = visit(
        node,
        Stage(),
        MemberAdded("presence-lobby", "ada"),
        "private-desk-ada",
        "private-desk-bob",
        "private-encrypted-ada",
        "presence-lobby",
    )
    assert news["private-desk-ada"] == {}
    assert news["private-desk-bob"]["status"] == 403
    assert news["presence-lobby"]["members"] == {"ada": {"at": "lobby"}}
    assert "status" not in news["private-encrypted-ada"]
    assert json.loads(news["signin"]["user_data"]) == {"id": "ada"}


def test_failed_webhooks_come_again(node: str) -> None:
    """The server answers our 500 with another attempt, until the handler succeeds."""
    stage = Stage()
    failures = [True, True]

    @stage.webhooks.on(ChannelOccupied)
    def occupied(event: ChannelOccupied) -> None:
        if failures:
            failures.pop()
            raise LookupError
        stage.heard.put("handled at last")

    visit(node, stage, "handled at last", "presence-lobby")
    assert failures == []
