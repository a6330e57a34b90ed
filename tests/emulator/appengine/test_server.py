"""The front door with a real app behind it."""

from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.emulator.appengine.instance import read_manifest
from gae_pusher.emulator.ports import free_port
from gae_pusher.errors import ConfigurationError
from tests.emulator.appengine.site import ECHO_APP, SiteMaker, make_site, wait_until_gone

STATIC = {
    "app.yaml": "runtime: python311\nhandlers:\n- url: /static\n  static_dir: static\n"
    "- url: /cached\n  static_dir: static\n  expiration: 1h\n  http_headers: {X-Own: a}\n",
    "static/a.css": "body {}",
}


def echoed(body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_a_request_reaches_the_app_as_it_was(start_site: SiteMaker) -> None:
    """Method, encoded path, query, body and unknown headers pass; the answer comes back whole."""
    site = start_site()
    body = os.urandom(3_000_000)
    reply = site.request("/a%20b/%2Fc?q=%26&q=2", "PUT", {"X-Mine": "1"}, body)
    seen = echoed(reply.body)
    assert (reply.status, reply.headers["X-App"]) == (200, "1")
    assert (seen["method"], seen["path"], seen["query"]) == ("PUT", "/a b//c", "q=%26&q=2")
    assert (seen["read"], seen["headers"]["X_MINE"]) == (len(body), "1")


def test_nobody_outside_can_pose_as_a_task(start_site: SiteMaker) -> None:
    """The headers that say "task" or "cron" never arrive from outside; a look-alike does."""
    spoofed = {
        "X-AppEngine-QueueName": "default",
        "x-appengine-cron": "true",
        "X_AppEngine_TaskName": "t",
        "X-Appengine-Cntry": "FR",
    }
    names = echoed(start_site().request("/", headers=spoofed).body)["headers"]
    assert [name for name in names if "QUEUE" in name or "CRON" in name or "TASK" in name] == []
    assert names["X_APPENGINE_CNTRY"] == "FR"


def test_the_app_has_production_s_environment(start_site: SiteMaker) -> None:
    """Markers and local services are set, and the app's own port is for this machine only."""
    site = start_site(PUSHER_KEY="local")
    environ = echoed(site.request("/").body)["environ"]
    assert (environ["GAE_ENV"], environ["GAE_PUSHER_FRONT"]) == ("localdev", "1")
    assert (environ["PUSHER_KEY"], environ["GOOGLE_CLOUD_PROJECT"]) == ("local", "demo-test")
    assert int(environ["PORT"]) == site.server.app_port


def test_static_files_are_sent_without_the_app(start_site: SiteMaker) -> None:
    """Content type, ETag and 304; no caching unless app.yaml asks for it; 404 says what is gone."""
    site = start_site(STATIC)
    reply = site.request("/static/a.css")
    assert (reply.status, reply.body) == (200, b"body {}")
    assert reply.headers["Content-Type"] == "text/css; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-cache"
    again = site.request("/static/a.css", headers={"If-None-Match": reply.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    cached = site.request("/cached/a.css", "HEAD").headers
    assert (cached["Cache-Control"], cached["X-Own"]) == ("public, max-age=3600", "a")
    assert site.request("/static/a.css", "POST", body=b"x").status == 405
    gone = site.request("/static/b.css")
    assert (gone.status, gone.body) == (404, b"there is no file static/b.css\n")


def test_a_changed_static_file_needs_no_restart(start_site: SiteMaker) -> None:
    """The next request gets the new content, from the same app process."""
    site = start_site(STATIC)
    site.write("static/a.css", "p {}")
    assert site.request("/static/a.css").body == b"p {}"


def test_32_megabytes_are_the_limit(start_site: SiteMaker) -> None:
    """A larger request is a 413, a larger answer a 500, as on App Engine."""
    big_answer = (
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'x' * 1_048_576] * (int(environ['QUERY_STRING'] or 0))\n"
    )
    site = start_site({"main.py": big_answer})
    assert site.request("/", "POST", body=b"x" * 33_554_433).status == 413
    assert len(site.request("/?32").body) == 33_554_432
    assert site.request("/?33").status == 500


def test_websockets_are_refused_with_a_hint(start_site: SiteMaker) -> None:
    """The app is not asked; the answer and the console say what to use instead."""
    site = start_site()
    reply = site.request("/ws", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert reply.status == 400
    assert b"Pusher Channels" in reply.body
    assert "Pusher Channels" in str(site.wait_for("request", "/ws").facts)


def test_answers_are_collected_and_sent_whole(start_site: SiteMaker) -> None:
    """A streaming app sends nothing before it has ended, and then with a length."""
    streaming = (
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')])\n"
        "    yield b'one '\n"
        "    yield b'two'\n"
    )
    reply = start_site({"main.py": streaming}).request("/")
    assert (reply.body, reply.headers["Content-Length"]) == (b"one two", "7")
    assert reply.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_warmup_comes_before_the_first_request(start_site: SiteMaker) -> None:
    """With inbound_services: warmup the app has seen /_ah/warmup before anybody else's request."""
    counting = (
        "paths = []\n"
        "def app(environ, start_response):\n"
        "    paths.append(environ['PATH_INFO'])\n"
        "    start_response('200 OK', [])\n"
        "    return [','.join(paths).encode()]\n"
    )
    yaml = "runtime: python311\ninbound_services: [warmup]\n"
    site = start_site({"main.py": counting, "app.yaml": yaml})
    assert site.request("/first").body == b"/_ah/warmup,/first"


def test_requests_wait_while_the_app_restarts(start_site: SiteMaker) -> None:
    """From the change on, requests are answered by the new code, none of them fails."""
    site = start_site({"main.py": f"import time; time.sleep(0.5)\n{ECHO_APP}"})
    site.request("/")
    site.change_until_restarted(
        "main.py", f"import time; time.sleep(0.5)\n{ECHO_APP.replace('1,', '2,', 1)}"
    )
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(site.request("/"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(reply.status, echoed(reply.body)["version"]) for reply in replies] == [(200, 2)] * 5


def test_a_crash_shows_the_error_and_recovers(start_site: SiteMaker) -> None:
    """A browser gets a page with the traceback, a script plain text; the next change mends it."""
    site = start_site({"main.py": "import not_there_at_all\n"})
    page = site.request("/", headers={"Accept": "text/html,*/*"})
    assert page.status == 500
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"ModuleNotFoundError: No module named &#x27;not_there_at_all&#x27;" in page.body
    text = site.request("/", headers={"Accept": "application/json"})
    assert text.headers["Content-Type"].startswith("text/plain")
    assert b"No module named 'not_there_at_all'" in text.body
    assert site.request("/_ah/gae_pusher/ready").status == 503
    site.wait_for("output", "ModuleNotFoundError")
    site.change_until_restarted("main.py", ECHO_APP)
    assert site.request("/_ah/gae_pusher/ready").status == 200
    assert site.request("/").status == 200


def test_an_app_that_ends_after_an_answer_is_started_again(start_site: SiteMaker) -> None:
    """As production replaces an instance that died, without waiting for a change."""
    mortal = (
        "import os, signal\n"
        "def app(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/die':\n"
        "        os.kill(os.getppid(), signal.SIGKILL)\n"
        "        os._exit(1)\n"
        "    start_response('200 OK', [])\n"
        "    return [b'alive']\n"
    )
    site = start_site({"main.py": mortal})
    assert site.request("/").body == b"alive"
    assert site.request("/die", "POST", body=b"x").status == 502
    assert site.request("/").body == b"alive"


def test_a_broken_app_yaml_keeps_the_former_one(start_site: SiteMaker) -> None:
    """The error is told with its line, and the app goes on."""
    site = start_site()
    site.request("/")
    site.change_until_restarted("app.yaml", "runtime: python311\nhandlers: 5\n")
    assert "app.yaml:2: handlers must be a list" in str(site.wait_for("problem", "").facts)
    assert site.request("/").status == 200


def test_a_server_that_is_not_installed_is_named(start_site: SiteMaker) -> None:
    """Page and console say what to install, not that a shell did not find something."""
    site = start_site({"app.yaml": "runtime: python311\nentrypoint: not-a-server-1 main:app\n"})
    assert b"pip install not-a-server-1" in site.request("/").body
    assert site.wait_for("problem", "not-a-server-1 is not installed: pip install not-a-server-1")


def test_other_servers_get_the_port(start_site: SiteMaker) -> None:
    """Any command that listens on $PORT is an entrypoint."""
    yaml = "runtime: python311\nentrypoint: python -m http.server --bind 127.0.0.1 $PORT\n"
    assert b"app.yaml" in start_site({"app.yaml": yaml}).request("/").body


def test_stopping_ends_all_processes(tmp_path: Path) -> None:
    """Nothing of the app is left, not even what it started itself."""
    spawning = f"import subprocess\nsubprocess.Popen(['sleep', '1000'])\n{ECHO_APP}"
    with make_site(tmp_path, {"main.py": spawning}) as site:
        site.start()
        group = echoed(site.request("/").body)["group"]
    assert group != os.getpgrp()
    wait_until_gone(group)


def test_a_taken_port_is_an_error_at_once(tmp_path: Path) -> None:
    """Binding a public port that somebody has raises OSError and leaves nothing behind."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as other,
        make_site(tmp_path, {}) as site,
        pytest.raises(OSError, match="address already in use"),
    ):
        site.run(site.server.listen("127.0.0.1", other.getsockname()[1]))


def test_a_folder_without_app_yaml_is_an_error(tmp_path: Path) -> None:
    """It says what to write."""
    with pytest.raises(ConfigurationError, match="runtime: python313"):
        read_manifest(tmp_path)


def test_free_ports_differ_from_taken_ones() -> None:
    """A port that somebody listens on is never given."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        assert free_port() != other.getsockname()[1]
