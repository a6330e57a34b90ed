"""What a deployment will do, as a value."""

from __future__ import annotations

import datetime

import pytest

from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.yaml_source import parse
from gae_pusher.deploy.plan import Serving, make_plan, version_name
from gae_pusher.errors import ConfigurationError

APP = """\
runtime: python313
entrypoint: gunicorn main:app
includes: [env.yaml]
env_variables: {MODE: live, KEEP: same, NEW: x}
"""
NAMES = (
    "app.yaml",
    "env.yaml",
    "main.py",
    "cron.yaml",
    ".env",
    "x.log",
    "venv/a.py",
    "gha-creds-1.json",
)
SIZES = dict.fromkeys(NAMES, 100)


def project() -> Project:
    return Project(
        documents={"app.yaml": parse(APP), "cron.yaml": parse("cron: []")},
        sizes=SIZES,
        uploaded=frozenset(SIZES),
        git_ignored=frozenset({"x.log", "env.yaml"}),
        installed=frozenset({"venv"}),
    )


def test_only_the_app_itself_is_uploaded() -> None:
    """Ignored files, secrets, packages and configs stay; gcloud still gets what it must read."""
    plan = make_plan(project(), "p", "v1", promote=True, serving=None)
    assert plan.files == ("app.yaml", "main.py")
    assert plan.size == 200
    assert plan.configs == ("cron.yaml",)
    assert plan.kept_back == ("env.yaml", "cron.yaml")
    assert plan.left_out == (".env", "env.yaml", "gha-creds-1.json", "venv/a.py", "x.log")
    assert "  left out .env, env.yaml, gha-creds-1.json, venv/a.py, x.log" in plan.lines()


def test_changes_against_the_serving_version() -> None:
    """Settings are compared; of variables only the names are shown."""
    serving = Serving(
        "v0",
        {
            "runtime": "python312",
            "entrypoint": {"shell": "gunicorn main:app"},
            "serviceAccount": "filled-in-by-google",
            "envVariables": {"MODE": "s3cret-before", "KEEP": "same", "OLD": "y"},
        },
    )
    plan = make_plan(project(), "p", "v1", promote=True, serving=serving)
    assert plan.changes == (
        "runtime: python312 becomes python313",
        "variable MODE changes",
        "variable NEW is new",
        "variable OLD is gone",
    )
    text = "\n".join(plan.lines())
    assert "moves from v0 to it, after the smoke test" in text
    assert "s3cret" not in text


def test_versions_have_names_that_app_engine_takes() -> None:
    """The time makes a good name; a bad one is refused before anything happens."""
    assert version_name(datetime.datetime(2026, 11, 22, 9, 5, 7)) == "20261122t090507"
    with pytest.raises(ConfigurationError, match="Version_1"):
        make_plan(project(), "p", "Version_1", promote=True, serving=None)
