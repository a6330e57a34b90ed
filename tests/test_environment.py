"""What PUSHER_URL and the other variables stand for, and what is refused with a clear text."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import Pusher
from gae_pusher.config import resolve
from gae_pusher.environment import options_from_env, url2options
from gae_pusher.errors import ConfigurationError

APP = {"app_id": "4242", "key": "9c1e7f0a2b3d4e5f6071", "secret": "0f1e2d3c4b5a69788796"}
URL = f"https://{APP['key']}:{APP['secret']}@api-eu.pusher.com/apps/4242"
SEGMENT = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


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
    assert config == resolve(**APP, cluster="eu", port=8443)[0]


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


def test_none_overrides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that a wrapper hands on as None leaves what the URL says, the host above all."""
    local = f"http://{APP['key']}:{APP['secret']}@localhost:6001/apps/4242"
    unset: dict[str, Any] = {"host": None, "port": None, "cluster": None, "ssl": None}
    assert Pusher.from_url(local, **unset).config == Pusher.from_url(local).config
    monkeypatch.setenv("PUSHER_URL", local)
    monkeypatch.setenv("PUSHER_CLUSTER", "eu")
    assert Pusher.from_env(**unset).host == "api-eu.pusher.com"


def test_another_mapping_than_the_environment() -> None:
    """A framework's settings are read as the environment is, Secret Manager's references too."""
    assert Pusher.from_env(environ={"PUSHER_URL": URL}).host == "api-eu.pusher.com"
    with pytest.raises(ConfigurationError, match="'sm://x' is not like sm://PROJECT"):
        Pusher.from_env(environ={"PUSHER_URL": URL, "PUSHER_SECRET": "sm://x"})
