"""What a deployment will do, as a value."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.yaml_source import parse
from gae_pusher.deploy.plan import make_plan, version_name
from gae_pusher.deploy.serving import Serving
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
        documents={
            "app.yaml": parse(APP),
            "env.yaml": parse("env_variables: {SECRET: x}", "env.yaml"),
            "cron.yaml": parse("cron: []"),
        },
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
    assert plan.left_out == (".env", "env.yaml", "gha-creds-1.json", "venv/", "x.log")
    assert "  left out .env, env.yaml, gha-creds-1.json, venv/, x.log" in plan.lines()


def test_changes_against_the_serving_version() -> None:
    """Settings are compared; of variables only the names are shown."""
    serving = Serving(
        {"v0": 1.0},
        {
            "runtime": "python312",
            "entrypoint": {"shell": "gunicorn main:app"},
            "serviceAccount": "filled-in-by-google",
            "envVariables": {"MODE": "s3cret-before", "KEEP": "same", "OLD": "y", "SECRET": "x"},
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


def test_a_split_is_given_back_as_it_was() -> None:
    """Two versions that share the traffic are both named, with their shares and their split."""
    serving = Serving({"v0": 0.75, "v1": 0.25}, {}, "cookie")
    plan = make_plan(project(), "p", "v2", promote=True, serving=serving)
    assert "  traffic  moves from v0 (75%), v1 (25%) to it, after the smoke test" in plan.lines()
    assert plan.rollback == (
        "gcloud app services set-traffic default --splits=v0=0.75,v1=0.25 --split-by=cookie "
        "--project=p"
    )


@pytest.mark.parametrize(
    ("serving", "promote", "traffic"),
    [
        (Serving(), True, "goes to it at once, as App Engine does with the first version of a "
         "service"),
        (Serving(), False, "goes to it at once, as App Engine does with the first version of a "
         "service"),
        (None, True, "goes to it, after the smoke test"),
        (Serving({"v0": 1.0}), False, "stays where it is"),
    ],
)  # fmt: skip
def test_the_plan_says_who_gets_the_traffic(
    serving: Serving | None, promote: bool, traffic: str
) -> None:
    """A first version gets it whatever is asked for, and without a known one nothing is claimed."""
    plan = make_plan(project(), "p", "v1", promote=promote, serving=serving)
    assert f"  traffic  {traffic}" in plan.lines()
    assert (plan.rollback is None) == (serving is None or not serving.split)


@pytest.mark.parametrize("name", ["../env.yaml", "/etc/env.yaml"])
def test_what_lies_outside_is_not_copied(name: str) -> None:
    """An included file that the copy for gcloud cannot hold is named before anything happens."""
    outside = {"app.yaml": parse(f"includes: [{name}]"), name: parse("{}", name)}
    with pytest.raises(ConfigurationError, match=f"includes {name}, which is outside"):
        make_plan(replace(project(), documents=outside), "p", "v1", promote=True, serving=None)


def test_versions_have_names_that_app_engine_takes() -> None:
    """The time makes a good name; a bad one is refused before anything happens."""
    assert version_name(datetime.datetime(2026, 11, 22, 9, 5, 7)) == "20261122t090507"
    with pytest.raises(ConfigurationError, match="Version_1"):
        make_plan(project(), "p", "Version_1", promote=True, serving=None)
