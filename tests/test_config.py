"""Settings: what a URL and the environment stand for, and what is refused with a clear text."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.config import (
    Config,
    cluster_host,
    decode_master_key,
    options_from_env,
    resolve,
    url2options,
)
from gae_pusher.errors import ConfigurationError
from gae_pusher.limits import Limits

APP = {"app_id": "4242", "key": "9c1e7f0a2b3d4e5f6071", "secret": "0f1e2d3c4b5a69788796"}
URL = f"https://{APP['key']}:{APP['secret']}@api-eu.pusher.com/apps/4242"
SEGMENT = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


def made(**options: Any) -> Config:
    return resolve(**{**APP, **options})[0]


def test_a_heroku_url() -> None:
    """The URL of Heroku's add-on gives app, key, secret, host and TLS; no port of its own."""
    assert url2options(URL) == {**APP, "host": "api-eu.pusher.com", "ssl": True}


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("http://k:s@localhost:6001/apps/my-app", "http://localhost:6001"),
        ("http://k:s@localhost/apps/app-id/", "http://localhost"),
        ("https://k:s@[::1]:6001/apps/1", "https://[::1]:6001"),
        ("HTTPS://k:s@Example.ORG:443/apps/1", "https://example.org"),
        ("http://k:s@h:443/apps/1", "http://h:443"),
        ("https://k:s@h/proxy/path/apps/1", "https://h/proxy/path"),
        ("https://k:s@h/apps/x/apps/1", "https://h/apps/x"),
        ("  https://k:s@h/apps/1\n", "https://h"),
    ],
)
def test_urls_of_other_servers(url: str, base_url: str) -> None:
    """Ports, IPv6, path prefixes, a trailing slash and stray white space are understood."""
    assert resolve(**url2options(url))[0].base_url == base_url


@given(
    app_id=SEGMENT,
    key=SEGMENT,
    secret=st.text(min_size=1).filter(lambda text: text.isprintable()),
    host=st.sampled_from(["localhost", "127.0.0.1", "[::1]", "api-eu.pusher.com"]),
    port=st.none() | st.integers(1, 65535),
    ssl=st.booleans(),
    prefix=st.lists(SEGMENT, max_size=2),
)
def test_a_url_comes_back_as_the_options_it_was_made_of(
    app_id: str, key: str, secret: str, host: str, port: int | None, ssl: bool, prefix: list[str]
) -> None:
    """Whatever text a secret holds, percent-encoded it survives the road through a URL."""
    scheme = "https" if ssl else "http"
    colon_port = f":{port}" if port else ""
    path = "".join(f"/{part}" for part in prefix)
    url = (
        f"{scheme}://{quote(key, safe='')}:{quote(secret, safe='')}@{host}{colon_port}"
        f"{path}/apps/{app_id}"
    )
    expected: dict[str, Any] = {"app_id": app_id, "key": key, "secret": secret, "host": host}
    expected |= {"ssl": ssl} | ({"port": port} if port else {})
    assert url2options(url) == expected | ({"path_prefix": path} if path else {})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://k:hush@h/apps/1",
        "https://h/apps/1",
        "https://k@h/apps/1",
        "https://:hush@h/apps/1",
        "https://k:hush@h/1",
        "https://k:hush@h/apps/",
        "https://k:hush@/apps/1",
        "https://k:hush@h:port/apps/1",
        "https://k:hush@h:99999/apps/1",
        "https://k:hush@[::1/apps/1",
        "https://k:hu#sh@h/apps/1",
        "https://k:hush@h/apps/1?cluster=eu",
        "https://k:hush@h/apps/1#x",
        None,
    ],
)
def test_a_malformed_url_is_refused_without_showing_the_secret(url: Any) -> None:
    """The error shows the shape that is wanted, never the URL, which holds the secret."""
    with pytest.raises(ConfigurationError, match="https://KEY:SECRET@HOST") as caught:
        url2options(url)
    assert "hush" not in str(caught.value)


def test_the_environments_url() -> None:
    """PUSHER_URL alone is enough; another variable's name can be given."""
    assert options_from_env({"PUSHER_URL": URL}) == url2options(URL)
    assert options_from_env({"MY_URL": URL + "\n"}, "MY_URL") == url2options(URL)


@pytest.mark.parametrize("family", ["PUSHER_", "PUSHER_APP_"])
def test_separate_variables_of_both_families(family: str) -> None:
    """PUSHER_KEY and Laravel's PUSHER_APP_KEY, and so on, mean the same."""
    environ = {
        "PUSHER_APP_ID": "4242",
        f"{family}KEY": APP["key"],
        f"{family}SECRET": APP["secret"] + "\n",
        f"{family}CLUSTER": "eu",
        "PUSHER_PORT": "8443",
        "PUSHER_HOST": "",
        "PUSHER_SCHEME": "https",
    }
    config, _ = resolve(**options_from_env(environ))
    assert config == made(cluster="eu", port=8443)


def test_variables_go_over_the_url_and_options_over_both() -> None:
    """PUSHER_KEY beats the key in PUSHER_URL, an argument beats PUSHER_KEY."""
    environ = {"PUSHER_URL": URL, "PUSHER_KEY": "k2", "PUSHER_SECRET": "s2"}
    assert options_from_env(environ, secret="s3") == {
        **url2options(URL),
        "key": "k2",
        "secret": "s3",
    }


def test_a_cluster_variable_takes_the_place_of_the_urls_host() -> None:
    """PUSHER_CLUSTER beside PUSHER_URL is heeded, not silently ignored, and the port goes too."""
    local = f"http://{APP['key']}:{APP['secret']}@localhost:6001/apps/4242"
    config, _ = resolve(**options_from_env({"PUSHER_URL": local, "PUSHER_CLUSTER": "ap1"}))
    assert config.base_url == "https://api-ap1.pusher.com"


def test_a_missing_variable_is_named() -> None:
    """What is missing is listed, unless an argument brings it."""
    with pytest.raises(ConfigurationError, match="no app_id, secret in the environment"):
        options_from_env({"PUSHER_KEY": "k", "PUSHER_SECRET": " "})
    assert options_from_env({"PUSHER_KEY": "k"}, app_id="1", secret="s")["secret"] == "s"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PUSHER_PORT", "http"), ("PUSHER_SCHEME", "wss"), ("PUSHER_PORT", "70000")],
)
def test_a_malformed_variable_is_named(variable: str, value: str) -> None:
    """A port that is no number, a scheme other than http and https are refused."""
    with pytest.raises(ConfigurationError, match=r"PUSHER_|port"):
        resolve(**options_from_env({"PUSHER_URL": URL, variable: value}))


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
        ({"path_prefix": "/a b"}, "path_prefix"),
        ({"path_prefix": "/a?b"}, "path_prefix"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": "5"}, "timeout is '5'"),
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
