"""Settings: where they lead, and what is refused with a clear text."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import pytest

from gae_pusher.config import Config, cluster_host, decode_master_key, resolve
from gae_pusher.errors import ConfigurationError
from gae_pusher.limits import Limits

APP = {"app_id": "4242", "key": "9c1e7f0a2b3d4e5f6071", "secret": "0f1e2d3c4b5a69788796"}


def made(**options: Any) -> Config:
    return resolve(**{**APP, **options})[0]


@pytest.mark.parametrize(
    ("options", "base_url"),
    [
        ({}, "https://api.pusherapp.com"),
        ({"cluster": "eu"}, "https://api-eu.pusher.com"),
        ({"cluster": "my-dedicated1"}, "https://api-my-dedicated1.pusher.com"),
        ({"cluster": "eu", "host": "h"}, "https://h"),
        ({"ssl": False}, "http://api.pusherapp.com"),
        ({"ssl": False, "port": 6001, "host": "localhost"}, "http://localhost:6001"),
        ({"host": "::1"}, "https://[::1]"),
        ({"host": "h", "path_prefix": "proxy/"}, "https://h/proxy"),
        ({"host": "h", "path_prefix": "/"}, "https://h"),
    ],
)
def test_where_the_service_is(options: dict[str, Any], base_url: str) -> None:
    """An explicit host goes before the cluster's, that before the default."""
    assert made(**options).base_url == base_url


@pytest.mark.parametrize("app_id", ["4242", 4242, "app-id", "my_app", "App.1", "soketi~x"])
def test_app_ids_of_other_servers(app_id: str | int) -> None:
    """Reverb, Soketi, Sockudo and AnyCable have ids with letters; an int was fine in 2012."""
    assert made(app_id=app_id).app_id == str(app_id)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"app_id": "a/b"}, "app_id 'a/b'"),
        ({"app_id": ".."}, "app_id"),
        ({"app_id": "a b\n"}, "app_id"),
        ({"app_id": "é"}, "app_id"),
        ({"app_id": None}, "no app_id"),
        ({"key": ""}, "no key"),
        ({"secret": b"bytes"}, "secret must be"),
        ({"host": "https://h"}, "host 'https://h'"),
        ({"host": "localhost:6001"}, "host 'localhost:6001'"),
        ({"host": "h/x"}, "host 'h/x'"),
        ({"cluster": "eu.pusher.com"}, "cluster 'eu.pusher.com'"),
        ({"cluster": 5}, "cluster 5"),
        ({"port": "80"}, "port '80'"),
        ({"port": 70000}, "port 70000"),
        ({"port": True}, "port True"),
        ({"ssl": "localhost"}, "pass host= and port= by name"),
        ({"host": 5}, "host must be a non-empty str"),
        ({"path_prefix": 5}, "path_prefix 5"),
        ({"path_prefix": "/a b"}, "path_prefix"),
        ({"path_prefix": "/a?b"}, "path_prefix"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": "5"}, "timeout is '5'"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"timeout": float("inf")}, "timeout is infinite"),
        ({"http_proxy": {"https": "http://proxy"}}, "http_proxy must be a str, not dict"),
        ({"ca_certs": True}, "ca_certs must be a str, not bool"),
        ({"webhook_max_age_seconds": -1}, "webhook_max_age_seconds is -1"),
        ({"limits": Limits(events_per_batch=0)}, "limit events_per_batch is 0"),
        ({"limits": {"events_per_batch": 5}}, "limits must be Limits"),
        ({"json_encoder": json.JSONEncoder()}, "json_encoder must be a class"),
        ({"former_keys": ["old"]}, "former_keys must be a dict"),
        ({"former_keys": {"old": ""}}, "former_keys must be a dict"),
        ({"encryption_master_key": 5}, "must be bytes, not int"),
        ({"encryption_master_key_base64": "not base64!"}, "is not base64"),
        ({"encryption_master_key_base64": "AAAA"}, "holds 3 bytes, not 32"),
        ({"encryption_master_key": b"short"}, "holds 5 bytes, not 32"),
        (
            {
                "encryption_master_key": b"k" * 32,
                "encryption_master_key_base64": base64.b64encode(b"k" * 32).decode(),
            },
            "both given",
        ),
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(options: dict[str, Any], text: str) -> None:
    """Each wrong setting is named, with its value where that is no secret."""
    with pytest.raises(ConfigurationError, match=text):
        made(**options)


def test_a_master_key_comes_in_base64_or_as_it_is() -> None:
    """pusher 3.3's older raw option gives the same key as the base64 one; empty means none."""
    raw = b"0123456789abcdef0123456789abcdef"
    text = base64.b64encode(raw).decode()
    assert decode_master_key(text) == raw
    assert made(encryption_master_key_base64=text).encryption_master_key == raw
    assert made(encryption_master_key=raw).encryption_master_key == raw
    assert made(encryption_master_key=raw.decode()).encryption_master_key == raw
    assert made(encryption_master_key_base64="").encryption_master_key is None


def test_secrets_stay_out_of_the_repr() -> None:
    """Printing a configuration shows no secret, no master key, no proxy's password."""
    config = made(
        secret="hush-1",
        encryption_master_key=b"hush-2".ljust(32),
        former_keys={"old": "hush-3"},
        http_proxy="http://me:hush-4@proxy",
    )
    assert "hush" not in repr(config)
    assert "4242" in repr(config)


def test_a_configuration_can_be_copied_and_pickled() -> None:
    """A copy equals the original, so it can cross processes."""
    config = made(former_keys={"old": "s"}, limits=Limits(event_data_bytes=20_000))
    assert copy.deepcopy(config) == config
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_callers_former_keys_are_copied() -> None:
    """A dict that changes later does not change what a frozen configuration accepts."""
    keys = {"old": "s"}
    config = made(former_keys=keys)
    keys["evil"] = "x"
    assert config.former_keys == {"old": "s"}


@pytest.mark.parametrize(
    ("host", "cluster"),
    [("api.pusherapp.com", "mt1"), ("api-eu.pusher.com", "eu"), ("localhost", None)],
)
def test_the_cluster_of_a_host(host: str, cluster: str | None) -> None:
    """The page learns the cluster from the API's host."""
    assert made(host=host).cluster == cluster


def test_what_the_page_needs_to_find_the_app() -> None:
    """The hosted service is found by its cluster, any other server by host, port and TLS."""
    assert made(cluster="eu").pusher_js_options() == {"cluster": "eu"}
    assert made(host="localhost", port=6001, ssl=False, path_prefix="/p").pusher_js_options() == {
        "cluster": "self-hosted",
        "wsHost": "localhost",
        "wsPort": 6001,
        "wssPort": 6001,
        "wsPath": "/p",
        "forceTLS": False,
        "enabledTransports": ["ws", "wss"],
    }


def test_options_of_the_channel_type_are_handed_on() -> None:
    """What is no setting of the app belongs to the channel type."""
    assert resolve(**APP, session="s")[1] == {"session": "s"}


def test_cluster_hosts() -> None:
    """A cluster's name gives the host of its API."""
    assert cluster_host("ap2") == "api-ap2.pusher.com"
