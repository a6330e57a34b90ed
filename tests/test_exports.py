"""What modules promise in __all__ exists, and a bare import loads no optional library."""

from __future__ import annotations

import ast
import importlib
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import gae_pusher

PACKAGE = Path(gae_pusher.__file__).parent
OPTIONAL = (
    "aiohttp",
    "asyncio",
    "django",
    "flask",
    "google",
    "nacl",
    "pycurl",
    "requests",
    "requests_toolbelt",
    "tornado",
    "urllib3",
    "watchfiles",
    "yaml",
)
BUNDLED = "bundled_ndb"  # needs App Engine's bundled services, tested in an environment of its own


def modules() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if not name.endswith("__main__")]


def exported(name: str) -> list[str] | None:
    """A module's __all__, read without importing it."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def public(name: str) -> list[str]:
    """The classes and functions that a module defines without a leading underscore."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, kinds) and not node.name.startswith("_")
    ]


def test_every_exported_name_exists() -> None:
    """Each name of a module's __all__ can be had from it, and stands there once."""
    lacking = {
        f"{name}.{each}"
        for name in modules()
        if BUNDLED not in name
        for each in exported(name) or []
        if each != "BundledNdbChannel" and not hasattr(importlib.import_module(name), each)
    }
    assert lacking == set()
    assert [
        name for name in modules() if len(set(exported(name) or [])) < len(exported(name) or [])
    ] == []


@pytest.mark.parametrize(
    ("name", "library", "package"),
    [
        ("RequestsChannel", "requests", "gae-pusher"),
        ("TornadoChannel", "tornado", "gae-pusher[tornado]"),
        ("AsyncioChannel", "aiohttp", "gae-pusher[asyncio]"),
        ("BundledNdbChannel", "google.appengine", "appengine-python-standard"),
    ],
)
def test_a_missing_library_says_what_to_install(name: str, library: str, package: str) -> None:
    """A name whose library is absent is an ImportError that names the extra."""
    code = f"import sys; sys.modules[{library!r}] = None\nfrom gae_pusher import {name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    wanted = f"ModuleNotFoundError: {name} needs {library}"
    assert done.stderr.splitlines()[-1].startswith(wanted)
    assert done.stderr.splitlines()[-1].endswith(f": pip install '{package}'")


def test_a_module_with_public_names_says_so() -> None:
    """Whoever defines something public has an __all__."""
    assert [name for name in modules() if public(name) and exported(name) is None] == []


def test_the_packages_names_are_sorted() -> None:
    """A new name has one place."""
    names = gae_pusher.__all__
    assert names == sorted(names, key=lambda name: (name.islower() or name[0] == "_", name))


def test_lazy_names_are_exported_and_come_from_where_they_are_defined() -> None:
    """Each name that is imported late is public, and is defined where the table says."""
    for name, module in gae_pusher._LAZY.items():
        assert name in gae_pusher.__all__
        assert name in public(module), f"{module} does not define {name}"


def test_the_packages_names_have_a_home() -> None:
    """dir() shows every public name, and an unknown one is an AttributeError."""
    assert set(gae_pusher.__all__) <= set(dir(gae_pusher))
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = gae_pusher.Nonsense


def loaded(statement: str) -> set[str]:
    """The optional libraries that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split()) & set(OPTIONAL)


def already_there() -> set[str]:
    """What the interpreter loads by itself: a .pth file of a namespace package names `google`."""
    return loaded("pass")


def test_help_shows_nothing_of_the_environment() -> None:
    """What Python says about a public name holds no variable: one of them is the secret."""
    told = {
        name: pydoc.plain(pydoc.render_doc(getattr(gae_pusher, name)))
        for name in gae_pusher.__all__
        if name not in ("BundledNdbChannel", "__version__")
    }
    telling = [name for name, text in told.items() if "environ({" in text]
    assert telling == []


@pytest.mark.parametrize(
    "statement",
    [
        "import gae_pusher",
        "from gae_pusher import ChannelOccupied, WebhookApp, ChannelAuthorizationApp, Pusher",
        "import gae_pusher; gae_pusher.Pusher('1', 'k', 's').authenticate('private-a', '1.2')",
        "import gae_pusher; gae_pusher.Pusher('1', 'k', 's').webhook(b'', 'k', 's').valid()",
    ],
)
def test_no_optional_library_is_loaded(statement: str) -> None:
    """Importing the package, authorizing and checking webhooks load nothing that may be missing."""
    assert loaded(statement) - already_there() == set()


def test_the_ndb_type_adds_no_heavy_library() -> None:
    """On top of google-cloud-ndb the channel type for it loads neither requests nor aiohttp."""
    ndb = loaded("from google.cloud import ndb")
    ours = loaded("import gae_pusher; gae_pusher.GaeNdbChannel")
    assert ours - ndb <= {"pycurl", "urllib3"}
