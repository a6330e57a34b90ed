"""Who answers a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.appengine.handlers import Serving
from gae_pusher.emulator.appengine.manifest import Manifest, parse
from gae_pusher.emulator.appengine.routing import Forward, Missing, SendFile, is_static, route

MANIFEST = parse(
    """
runtime: python311
default_expiration: 10m
handlers:
- url: /static
  static_dir: assets/files
  expiration: 1d 2h
- url: /optional
  static_dir: optional
  require_matching_file: true
- url: /favicon\\.ico
  static_files: assets/icon.ico
  upload: assets/icon\\.ico
  mime_type: image/x-icon
  http_headers: {X-Icon: yes}
- url: /(.*\\.(gif|png))
  static_files: pictures/\\1
  upload: pictures/.*\\.png
- url: /old
  script: auto
""",
    lambda _: None,
)
FILES = {
    "assets/files/a.css",
    "assets/files/sub/b.js",
    "optional/there.txt",
    "assets/icon.ico",
    "pictures/x.png",
    "pictures/x.gif",
}


def routed(path: str, manifest: Manifest = MANIFEST) -> object:
    return route(manifest, path, FILES.__contains__)


@pytest.mark.parametrize(
    ("path", "file", "expiration"),
    [
        ("/static/a.css", "assets/files/a.css", 93_600),
        ("/static/sub/b.js", "assets/files/sub/b.js", 93_600),
        ("/optional/there.txt", "optional/there.txt", 600),
        ("/x.png", "pictures/x.png", 600),
    ],
)
def test_static_paths_name_files(path: str, file: str, expiration: int) -> None:
    """static_dir appends what follows the url, static_files fills in the groups."""
    decision = routed(path)
    assert isinstance(decision, SendFile)
    assert (decision.path, decision.serving.expiration_seconds) == (file, expiration)


def test_settings_of_a_handler_come_along() -> None:
    """mime_type and http_headers belong to the file's answer."""
    serving = Serving(600, (("X-Icon", "yes"),), "image/x-icon")
    assert routed("/favicon.ico") == SendFile("assets/icon.ico", serving)


@pytest.mark.parametrize(
    "path", ["/", "/static", "/staticky/a.css", "/old", "/old/er", "/optional/gone.txt"]
)
def test_the_app_answers_the_rest(path: str) -> None:
    """A url must match the whole path; what no handler takes is the app's."""
    assert routed(path) == Forward()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/static/gone.css", "there is no file assets/files/gone.css"),
        ("/static/", "there is no file"),
        ("/static/../secret.py", "there is no file"),
        ("/static//etc/passwd", "there is no file"),
        ("/x.gif", "upload of /(.*\\.(gif|png)) does not match"),
    ],
)
def test_static_handlers_do_not_fall_through(path: str, reason: str) -> None:
    """A static handler that matched answers 404 itself, and says why."""
    decision = routed(path)
    assert isinstance(decision, Missing)
    assert reason in decision.reason


@given(st.text(st.sampled_from("ab./\\\0é"), max_size=12))
def test_no_path_leads_out_of_a_static_folder(below: str) -> None:
    """Whatever follows the url, the file that is sent lies below static_dir."""
    decision = route(MANIFEST, f"/static/{below}", lambda _: True)
    if isinstance(decision, SendFile):
        inside = decision.path.removeprefix("assets/files/")
        assert not {"", ".", ".."} & set(inside.split("/"))
        assert "\\" not in inside
        assert "\0" not in inside


def test_without_handlers_all_is_the_app_s() -> None:
    """An app.yaml without handlers serves everything through its entrypoint."""
    bare = parse("runtime: python311\n", lambda _: None)
    assert routed("/static/a.css", bare) == Forward()


@pytest.mark.parametrize(
    ("path", "static"),
    [("assets/files/a.css", True), ("pictures/x.png", True), ("main.py", False)],
)
def test_which_files_the_front_door_sends(path: str, static: bool) -> None:
    """Static files are known by their folder or by upload."""
    assert is_static(MANIFEST, path) is static
