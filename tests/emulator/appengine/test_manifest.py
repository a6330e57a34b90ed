"""app.yaml, read: what it asks for, and errors that say where they are."""

from __future__ import annotations

import pytest

from gae_pusher.emulator.appengine.manifest import DEFAULT_ENTRYPOINT, Manifest, parse
from gae_pusher.errors import ConfigurationError


def parsed(text: str, **files: str) -> Manifest:
    named = {name.replace("_yaml", ".yaml"): content for name, content in files.items()}
    return parse(text, named.get)


def test_runtime_alone_is_enough() -> None:
    """One line gives production's defaults: an F1 instance, gunicorn, no handlers, 10 minutes."""
    manifest = parsed("runtime: python311\n")
    assert manifest.entrypoint == DEFAULT_ENTRYPOINT == "gunicorn -b :$PORT main:app"
    assert (manifest.memory_mb, manifest.deadline_seconds) == (384, 600)
    assert (manifest.handlers, manifest.warmup, manifest.service) == ((), False, "default")


def test_env_variables_become_text_as_a_deployment_makes_them() -> None:
    """Booleans are capitalized and numbers are read before they are written again."""
    manifest = parsed(
        "runtime: python311\nenv_variables:\n  A: true\n  B: 1.10\n  C: 012\n  D: 'yes'\n  E: x\n"
    )
    assert manifest.env_variables == {"A": "True", "B": "1.1", "C": "10", "D": "yes", "E": "x"}


def test_included_files_are_merged_as_gcloud_merges_them() -> None:
    """Their variables win, their handlers come first, and they may include others beside them."""
    files = {
        "config/env.yaml": "includes: [deeper.yaml]\nenv_variables: {A: theirs, B: theirs}\n"
        "handlers:\n- {url: /head, script: auto}\n- {url: /tail, script: auto, position: tail}\n",
        "config/deeper.yaml": "includes: [env.yaml]\nenv_variables: {A: deeper}\n"
        "handlers: [{url: /deeper, script: auto}]\n",
    }
    text = (
        "runtime: python311\nincludes: [config/env.yaml]\nenv_variables: {A: mine, C: mine}\n"
        "handlers: [{url: /mine, script: auto}]\n"
    )
    manifest = parse(text, files.get)
    assert manifest.env_variables == {"A": "deeper", "B": "theirs", "C": "mine"}
    urls = [handler.url for handler in manifest.handlers]
    assert urls == ["/head", "/deeper", "/mine", "/tail"]


def test_a_missing_include_is_a_note() -> None:
    """Secrets are kept in files that are not in git: the app starts without them."""
    (note,) = parsed("runtime: python311\nincludes:\n- env.yaml\n").notes[:1]
    assert note == "app.yaml includes env.yaml, which is not here: ignored"


@pytest.mark.parametrize(
    ("extra", "memory", "deadline"),
    [
        ("instance_class: F4_1G", 3072, 600),
        ("basic_scaling: {max_instances: 1}", 768, 86_400),
        ("instance_class: B1\nmanual_scaling: {instances: 1}", 384, 86_400),
    ],
)
def test_instance_class_and_scaling(extra: str, memory: int, deadline: int) -> None:
    """Memory follows the class, the deadline follows the kind of scaling."""
    manifest = parsed(f"runtime: python311\n{extra}\n")
    assert (manifest.memory_mb, manifest.deadline_seconds) == (memory, deadline)


def test_what_is_different_here_is_said() -> None:
    """Redirects to https and another Python are remarks, not surprises."""
    notes = parsed("runtime: python399\nhandlers:\n- url: /.*\n  secure: always\n").notes
    assert any("python399" in note for note in notes)
    assert any("redirects /.* to https" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "app.yaml is empty", "runtime: python313"),
        ("- a\n", "app.yaml:1:", "key: value"),
        ("service: x\n", "app.yaml:1:", "runtime"),
        ("runtime: php83\n", "app.yaml:1:", "'php83'"),
        ("runtime: python311\nruntime: python312\n", "app.yaml:2:", "second time"),
        ("runtime: python311\n\tentrypoint: x\n", "app.yaml:2:", "found character"),
        ("runtime: python311\nentrypoint: [a, b]\n", "app.yaml:2:", "one value"),
        ("runtime: python311\nentrypoint: ''\n", "app.yaml:2:", "empty"),
        ("runtime: python311\ninstance_class: F9\n", "app.yaml:2:", "F1, F2"),
        ("runtime: python311\nenv_variables:\n  A:\n", "app.yaml:3:", '"None"'),
        ("runtime: python311\nenv_variables:\n  A: {b: c}\n", "app.yaml:3:", "one value"),
        ("runtime: python311\nhandlers:\n- script: auto\n", "app.yaml:3:", "no url"),
        ("runtime: python311\nhandlers:\n- url: static\n", "app.yaml:3:", "start with /"),
        ("runtime: python311\nhandlers:\n- url: /(.*\n", "app.yaml:3:", "regular expression"),
        (
            "runtime: python311\nhandlers:\n- url: /\n  script: main.app\n",
            "app.yaml:4:",
            "script: auto",
        ),
        (
            "runtime: python311\nhandlers:\n- url: /x\n  static_files: x\n",
            "app.yaml:3:",
            "upload",
        ),
        (
            "runtime: python311\nhandlers:\n- url: /x\n  static_dir: x\n  expiration: 5w\n",
            "app.yaml:5:",
            "4d 5h",
        ),
        (
            "runtime: python311\nhandlers:\n- url: /x\n  secure: maybe\n",
            "app.yaml:4:",
            "always",
        ),
    ],
)
def test_errors_say_where_and_what(text: str, where: str, what: str) -> None:
    """Each mistake names the file, the line, and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        parsed(text)
    assert str(caught.value).startswith(where)
    assert what in str(caught.value)


def test_an_error_in_an_include_names_that_file() -> None:
    """The line is one of the included file."""
    with pytest.raises(ConfigurationError, match=r"^env\.yaml:2: "):
        parsed("runtime: python311\nincludes: [env.yaml]\n", env_yaml="a: b\nenv_variables: 5\n")
