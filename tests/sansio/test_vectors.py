"""The recorded vectors of the protocol reference, appendix A: made by the official libraries."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.config import Config
from gae_pusher.sansio import encryption
from gae_pusher.sansio.authorization import authenticate_user, authorize_channel
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.signing import Credentials, body_md5, sign, signature_matches, signed_params
from gae_pusher.sansio.verbs import Verbs
from gae_pusher.sansio.webhooks import Webhook

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "vectors.json").read_text())
APP, ENCRYPTION, WEBHOOK = VECTORS["app"], VECTORS["encryption"], VECTORS["webhook"]
CREDENTIALS = Credentials(APP["key"], APP["secret"])
CONFIG = Config(
    app_id=APP["id"],
    key=APP["key"],
    secret=APP["secret"],
    encryption_master_key=base64.b64decode(ENCRYPTION["master_key_base64"]),
)
VERBS = Verbs(CONFIG, lambda: base64.b64decode(ENCRYPTION["nonce_base64"]))
NAMES = [vector["name"] for vector in VECTORS["requests"]]


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=NAMES)
def test_a_request_is_signed_as_recorded(vector: dict[str, Any]) -> None:
    """Method, path, raw query and body give the recorded checksum and signature."""
    body = vector["body"].encode() if vector["body"] is not None else None
    query = tuple(vector["query"].items())
    params = dict(
        signed_params(vector["method"], vector["path"], query, body, CREDENTIALS, APP["timestamp"])
    )
    assert params["auth_signature"] == vector["auth_signature"]
    assert params.get("body_md5") == vector["body_md5"]
    assert body is None or body_md5(body) == vector["body_md5"]


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("list presence", VERBS.channels_info("presence-", ["user_count"])),
        ("cache info", VERBS.channel_info("cache-board", ["subscription_count", "cache"])),
        ("terminate", VERBS.terminate_user_connections("u-19")),
    ],
)
def test_a_verb_makes_the_recorded_request(name: str, plan: Plan[Any]) -> None:
    """The verbs build the recorded requests to the letter, signature included."""
    vector = VECTORS["requests"][NAMES.index(name)]
    request = plan.operations[0].request(CREDENTIALS, APP["timestamp"])
    assert (request.method, request.path) == (vector["method"], vector["path"])
    assert dict(request.params)["auth_signature"] == vector["auth_signature"]


def test_trigger_makes_the_recorded_body() -> None:
    """The trigger's fields are the recorded ones; their order is ours and does not matter."""
    vector = VECTORS["requests"][0]
    recorded = json.loads(vector["body"])
    plan = VERBS.trigger(
        recorded["channels"], recorded["name"], recorded["data"], recorded["socket_id"]
    )
    assert json.loads(plan.operations[0].body or b"") == recorded
    assert plan.operations[0].path == vector["path"]


@pytest.mark.parametrize("vector", VECTORS["tokens"], ids=lambda vector: vector["name"])
def test_a_token_is_signed_as_recorded(vector: dict[str, Any]) -> None:
    """The four kinds of text that are signed for browsers give the recorded signatures."""
    assert sign(APP["secret"], vector["string"]) == vector["signature"]
    assert signature_matches(APP["secret"], vector["string"], vector["signature"])


def test_the_answers_for_browsers_carry_the_recorded_tokens() -> None:
    """Authorization and authentication give the recorded tokens for the recorded members."""
    token = {vector["name"]: f"{APP['key']}:{vector['signature']}" for vector in VECTORS["tokens"]}
    socket_id, info = APP["socket_id"], {"name": "Ada"}
    user = {"id": "u-19", "user_info": info, "watchlist": ["u-20", "u-21"]}
    member = {"user_id": "u-19", "user_info": info}
    private = authorize_channel(CONFIG, "private-desk", socket_id)
    presence = authorize_channel(CONFIG, "presence-room", socket_id, member)
    encrypted = authorize_channel(CONFIG, ENCRYPTION["channel"], socket_id)
    assert private == {"auth": token["private"]}
    assert presence["auth"] == token["presence"]
    assert encrypted == {
        "auth": token["encrypted"],
        "shared_secret": ENCRYPTION["shared_secret_base64"],
    }
    assert authenticate_user(CONFIG, socket_id, user)["auth"] == token["user"]


def test_a_webhook_verifies_as_recorded() -> None:
    """The recorded webhook is valid at the time it was made, and holds the recorded events."""
    body = WEBHOOK["body"].encode()
    keys = {APP["key"]: APP["secret"]}
    webhook = Webhook(body, APP["key"], WEBHOOK["signature"], keys, APP["timestamp"])
    assert webhook.verify() == json.loads(WEBHOOK["body"])


def test_an_event_is_encrypted_as_recorded() -> None:
    """With the recorded nonce the plaintext becomes the recorded envelope, and back again."""
    key, channel = CONFIG.encryption_master_key, ENCRYPTION["channel"]
    nonce = base64.b64decode(ENCRYPTION["nonce_base64"])
    envelope = encryption.seal(channel, ENCRYPTION["plaintext"], key, nonce)
    assert json.loads(envelope) == {
        "nonce": ENCRYPTION["nonce_base64"],
        "ciphertext": ENCRYPTION["ciphertext_base64"],
    }
    assert encryption.open_envelope(channel, envelope, key) == ENCRYPTION["plaintext"]
    assert encryption.shared_secret(channel, key) == ENCRYPTION["shared_secret_base64"]


def test_the_recorded_limit_of_a_plaintext() -> None:
    """7,619 bytes are the most that an encrypted event's envelope of 10,240 bytes holds."""
    most = ENCRYPTION["max_plaintext_bytes_for_10240"]
    nonce = bytes(encryption.NONCE_BYTES)
    sizes = [
        len(encryption.seal(ENCRYPTION["channel"], "x" * size, bytes(32), nonce))
        for size in (most, most + 1)
    ]
    assert sizes[0] <= 10_240 < sizes[1]
