"""The command that starts the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from gae_pusher.emulator.appengine.entrypoint import first_word, local_command
from gae_pusher.emulator.appengine.environment import Identity, environment
from gae_pusher.emulator.appengine.manifest import parse

HERE = "--bind 127.0.0.1:$PORT"


@pytest.mark.parametrize(
    ("entrypoint", "command"),
    [
        ("gunicorn -b :$PORT main:app", f"gunicorn {HERE} main:app"),
        ("gunicorn main:app", f"gunicorn {HERE} main:app"),
        ("gunicorn main:app -b:8080", f"gunicorn {HERE} main:app"),
        ("gunicorn --bind=0.0.0.0:$PORT -w 2 main:app", f"gunicorn {HERE} -w 2 main:app"),
        ("gunicorn --bind ':$PORT' main:app", f"gunicorn {HERE} main:app"),
        ("gunicorn -b :1 --bind :2 a:b", f"gunicorn {HERE} a:b"),
        ("python -m gunicorn -b :$PORT a:b", f"python -m gunicorn {HERE} a:b"),
        ("X=1 exec ./bin/gunicorn -b :$PORT a:b", f"X=1 exec ./bin/gunicorn {HERE} a:b"),
        ("uvicorn --port $PORT main:app", "uvicorn --port $PORT main:app"),
        ("python main.py -b :$PORT", "python main.py -b :$PORT"),
    ],
)
def test_gunicorn_listens_on_this_machine_only(entrypoint: str, command: str) -> None:
    """Every way to give gunicorn an address is replaced; other servers are left as they are."""
    assert local_command(entrypoint) == command


@pytest.mark.parametrize(
    ("command", "word"),
    [("gunicorn a:b", "gunicorn"), ("X=1 gunicorn a:b", None), ("$SERVER a:b", None)],
)
def test_the_program_of_a_simple_command_is_known(command: str, word: str | None) -> None:
    """What a shell must work out first is not looked up."""
    assert first_word(command) == word


def test_environment_of_the_app() -> None:
    """Production's names with local values; the local services win over app.yaml's variables."""
    manifest = parse(
        "runtime: python311\nservice: api\ninstance_class: F2\n"
        "env_variables: {PUSHER_KEY: live, COLOUR: red, PORT: 1, GAE_ENV: standard}\n",
        lambda _: None,
    )
    given = environment(
        {"PATH": "/bin", "COLOUR": "blue", "HOME": "/h"},
        manifest,
        {"PUSHER_KEY": "local-key"},
        Identity("demo-x", "20260101t000000", "42", "00ff"),
        8123,
        Path("/venv/bin"),
    )
    expected = {
        "COLOUR": "red",
        "GAE_APPLICATION": "dev~demo-x",
        "GAE_DEPLOYMENT_ID": "42",
        "GAE_ENV": "localdev",
        "GAE_INSTANCE": "00ff",
        "GAE_MEMORY_MB": "768",
        "GAE_PUSHER_FRONT": "1",
        "GAE_RUNTIME": "python311",
        "GAE_SERVICE": "api",
        "GAE_VERSION": "20260101t000000",
        "GOOGLE_CLOUD_PROJECT": "demo-x",
        "GUNICORN_CMD_ARGS": "--log-level warning",
        "HOME": "/h",
        "PATH": "/venv/bin:/bin",
        "PORT": "8123",
        "PUSHER_KEY": "local-key",
        "PYTHONUNBUFFERED": "1",
    }
    assert given == expected
