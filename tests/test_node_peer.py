"""The official library for Node agrees with ours about tokens, webhooks and requests."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

import gae_pusher
from gae_pusher.sansio.encryption import open_envelope
from gae_pusher.sansio.signing import sign
from tests.conftest import NODE_DIR
from tests.recording import recording_server

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VAULT = "private-encrypted-vault"
SCRIPT = """
import Pusher from "pusher";
const {options, calls} = JSON.parse(process.argv[1]);
const pusher = new Pusher(options);
const answers = [];
for (const [name, ...args] of calls) {
  if (name === "webhook") answers.push(pusher.webhook(args[0]).isValid());
  else if (["trigger", "triggerBatch", "get", "terminateUserConnections"].includes(name))
    answers.push((await pusher[name](...args)).status);
  else answers.push(pusher[name](...args));
}
console.log(JSON.stringify(answers));
"""


def theirs(node: str, calls: list[Any], port: int = 1) -> list[Any]:
    """What the official library for Node answers to some calls."""
    options = {
        "appId": "4242",
        "key": "9c1e7f0a2b3d4e5f6071",
        "secret": "0f1e2d3c4b5a69788796",
        "useTLS": False,
        "host": "127.0.0.1",
        "port": port,
        "encryptionMasterKeyBase64": MASTER_KEY,
    }
    done = subprocess.run(
        [
            node,
            "--input-type=module",
            "-e",
            SCRIPT,
            json.dumps({"options": options, "calls": calls}),
        ],
        cwd=NODE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


@pytest.fixture
def pusher() -> gae_pusher.Pusher:
    return gae_pusher.Pusher(
        "4242",
        "9c1e7f0a2b3d4e5f6071",
        "0f1e2d3c4b5a69788796",
        encryption_master_key_base64=MASTER_KEY,
    )


def test_tokens_are_the_same_to_the_letter(node: str, pusher: gae_pusher.Pusher) -> None:
    """Both write compact JSON, so whole answers are equal, for every kind of token."""
    member = {"user_id": "u-19", "user_info": {"name": "Zoë"}}
    user = {"id": "u-19", "watchlist": ["u-20"]}
    assert theirs(
        node,
        [
            ["authorizeChannel", "1.2", "private-desk"],
            ["authorizeChannel", "1.2", "presence-room", member],
            ["authorizeChannel", "1.2", VAULT],
            ["authenticateUser", "1.2", user],
        ],
    ) == [
        pusher.authenticate("private-desk", "1.2"),
        pusher.authenticate("presence-room", "1.2", member),
        pusher.authenticate(VAULT, "1.2"),
        pusher.authenticate_user("1.2", user),
    ]


def test_a_webhook_is_believed_by_both(node: str, pusher: gae_pusher.Pusher) -> None:
    """The same signature is right for both, and wrong for both when the body was changed."""
    body = json.dumps({"time_ms": int(time.time() * 1000), "events": [{"name": "é"}]})
    signature = sign(pusher.secret, body)
    verdicts = []
    calls = []
    for text in (body, body + " "):
        headers = {
            "x-pusher-key": pusher.key,
            "x-pusher-signature": signature,
            "content-type": "application/json",
        }
        calls.append(["webhook", {"headers": headers, "rawBody": text}])
        verdicts.append(pusher.webhook(text, pusher.key, signature).valid())
    assert theirs(node, calls) == verdicts == [True, False]


def test_requests_mean_the_same(node: str) -> None:
    """Path, body and parameters agree, terminate included."""
    with recording_server() as server:
        ours = gae_pusher.Pusher(**server.app(encryption_master_key_base64=MASTER_KEY))
        ours.trigger(["a", "b"], "e", {"x": "é"}, "1.2", info="user_count")
        ours.trigger_batch([{"channel": "a", "name": "e", "data": {"x": 1}}])
        ours.channel_info("cache-a", ["subscription_count", "cache"])
        ours.terminate_user_connections("u-19")
        ours.trigger(VAULT, "e", {"pin": "0042"})
        mine = list(server.calls)
        server.calls.clear()
        theirs(
            node,
            [
                [
                    "trigger",
                    ["a", "b"],
                    "e",
                    {"x": "é"},
                    {"socket_id": "1.2", "info": "user_count"},
                ],
                ["triggerBatch", [{"channel": "a", "name": "e", "data": {"x": 1}}]],
                [
                    "get",
                    {"path": "/channels/cache-a", "params": {"info": "subscription_count,cache"}},
                ],
                ["terminateUserConnections", "u-19"],
                ["trigger", VAULT, "e", {"pin": "0042"}],
            ],
            server.port,
        )
        others = list(server.calls)
    assert [(call.method, call.path) for call in mine] == [
        (call.method, call.path) for call in others
    ]
    assert [call.json for call in mine[:4]] == [call.json for call in others[:4]]
    assert [set(call.query) for call in mine] == [set(call.query) for call in others]
    key = ours.config.encryption_master_key
    texts = [open_envelope(VAULT, call.json["data"], key) for call in (mine[4], others[4])]
    assert texts == ['{"pin":"0042"}'] * 2
