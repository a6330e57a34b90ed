"""The house stands as docs draw it: imports point down, the core is pure, files stay small.

Imports count wherever they stand, also in functions and under TYPE_CHECKING. One exception: the
facade `gae_pusher/__init__.py` names what it loads late, for type checkers alone.
"""

from __future__ import annotations

import ast
import importlib
import statistics
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gae_pusher

ROOT = Path(gae_pusher.__file__).parent.parent
PACKAGE = ROOT / "gae_pusher"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the bottom to the top; a unit imports units of lower rows only.
LEVELS = (
    {"errors", "extras", "limits", "version"},
    {"names", "config", "environment"},
    {"sansio"},
    {"engines", "secret_manager"},
    {"channels", "twins"},
    {"pusher"},
    {"wsgi", "tasks"},
    {"outbox"},
    {"contrib"},
    {"__init__"},
    {"emulator"},
    {"testing"},
    {"pytest_plugin", "client", "deploy"},
    {"cli"},
    {"__main__"},
)
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}
EMULATORS_MAY_IMPORT = LEVELS[0] | LEVELS[1] | LEVELS[2]

# Where a library may be imported: by the module that bears its name, and by what stands on it.
LIBRARIES = {
    "aiohttp": ("channels/asyncio.py", "client/", "emulator/"),
    "certifi": ("engines/",),
    "django": ("contrib/django.py",),
    "flask": ("contrib/flask.py",),
    "google.api_core": ("secret_manager.py", "tasks/", "outbox/", "emulator/", "deploy/doctor/"),
    "google.appengine": ("channels/appengine.py", "channels/bundled_ndb.py"),
    "google.auth": ("secret_manager.py", "tasks/", "outbox/", "deploy/"),
    "google.cloud.datastore_v1": ("emulator/datastore/",),
    "google.cloud.ndb": ("channels/ndb.py", "outbox/", "deploy/doctor/"),
    "google.cloud.secretmanager": ("secret_manager.py",),
    "google.cloud.secretmanager_v1": ("secret_manager.py",),
    "google.cloud.tasks_v2": ("tasks/", "emulator/tasks/"),
    "google.longrunning": ("emulator/tasks/",),
    "google.protobuf": ("emulator/",),
    "grpc": ("secret_manager.py", "emulator/", "tasks/"),
    "multidict": ("emulator/",),
    "nacl": ("sansio/encryption.py",),
    "packaging": ("deploy/",),
    "pycurl": ("engines/",),
    "pytest": ("pytest_plugin.py", "testing/"),
    "requests": ("channels/requests.py", "deploy/", "cli/webhooks.py"),
    "requests_toolbelt": ("channels/requests.py",),
    "shtab": ("cli/completion.py",),
    "sortedcontainers": ("emulator/datastore/",),
    "tornado": ("channels/tornado.py",),
    "urllib3": ("engines/", "channels/requests.py"),
    "watchfiles": ("emulator/",),
    "werkzeug": ("contrib/flask.py",),
    "yaml": ("deploy/", "emulator/"),
    "yarl": ("channels/asyncio.py", "emulator/"),
}
STANDARD_LIBRARY_OF_THE_CORE = {
    "__future__",
    "base64",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "json",
    "re",
    "typing",
    "urllib",
}
LARGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 150, 50, 10


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports; `from package import module` counts as the module."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            found |= {_module(node.module, alias.name) for alias in node.names}
    return frozenset(found)


def _module(package: str, name: str) -> str:
    inner = ROOT.joinpath(*package.split("."), name)
    is_module = inner.is_dir() or inner.with_suffix(".py").exists()
    if is_module or package in ("google", "google.cloud"):
        return f"{package}.{name}"
    return package


def own(path: Path) -> set[str]:
    """The modules of this package that a file imports."""
    return {name for name in imports(path) if name.split(".")[0] == "gae_pusher"}


def unit(module: str) -> str:
    """The row entry of a dotted module name; the package itself is `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions() -> Iterator[tuple[str, int]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def test_imports_point_strictly_down() -> None:
    """A file imports its own unit and units of lower rows, nothing beside or above."""
    for path in FILES:
        here = unit(dotted(path))
        assert here in LEVEL, f"{here} has no level: give it a row in LEVELS"
    upward = {
        f"{dotted(path)} imports {name}"
        for path in FILES
        if path != PACKAGE / "__init__.py"
        for name in own(path)
        if unit(name) != unit(dotted(path)) and LEVEL[unit(name)] >= LEVEL[unit(dotted(path))]
    }
    assert upward == set()


def test_there_is_no_cycle() -> None:
    """No file imports itself by way of others, wherever the imports stand."""
    edges = {dotted(path): own(path) for path in FILES if path != PACKAGE / "__init__.py"}
    done: set[str] = set()

    def walk(module: str, road: tuple[str, ...]) -> None:
        assert module not in road, " -> ".join([*road, module])
        if module not in done:
            for target in sorted(edges.get(module, ())):
                if target != module:
                    walk(target, (*road, module))
            done.add(module)

    for module in sorted(edges):
        walk(module, ())


def test_the_core_is_pure() -> None:
    """The protocol touches no socket, clock, randomness, thread or environment."""
    outside = {
        name
        for path in FILES
        if path.parent.name == "sansio"
        for name in imports(path)
        if not name.startswith(("gae_pusher", "nacl"))
    }
    assert {name.split(".")[0] for name in outside} <= STANDARD_LIBRARY_OF_THE_CORE
    assert {name for name in outside if name.startswith("urllib")} == {"urllib.parse"}


def test_libraries_are_imported_where_they_belong() -> None:
    """What is not Python's own is known to the module that bears its name, and to no other."""
    strange = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in FILES
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"gae_pusher"}
        and not str(path.relative_to(PACKAGE)).startswith(places(name))
    }
    assert strange == set()


def places(name: str) -> tuple[str, ...]:
    """Where a library's module may be imported."""
    return next(
        (where for library, where in LIBRARIES.items() if f"{name}.".startswith(f"{library}.")), ()
    )


def test_emulators_do_not_know_the_client() -> None:
    """They share levels 0 to 2 with it and nothing else, so that they can disagree."""
    known = {unit(name) for path in (PACKAGE / "emulator").rglob("*.py") for name in own(path)}
    assert known <= EMULATORS_MAY_IMPORT | {"emulator"}


def test_the_environment_of_pusher_is_read_in_one_place() -> None:
    """The variables PUSHER_* are known to config.py; others only set or mention them."""
    readers = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            text = ast.unparse(node) if isinstance(node, (ast.Call, ast.Subscript)) else ""
            if text.startswith(("os.environ", "os.getenv")) and "PUSHER_" in text:
                readers.append(f"{path.relative_to(ROOT)}: {text}")
    assert readers == []


def test_the_sample_app_imports_public_names_only() -> None:
    """A user's app needs nothing that has an underscore or is in nobody's __all__."""
    private = {
        f"{path.relative_to(ROOT)} imports {alias.name}"
        for path in (ROOT / "sample_app").rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gae_pusher")
        for alias in node.names
        if alias.name not in importlib.import_module(node.module or "").__all__
    }
    assert private == set()


def test_files_are_small() -> None:
    """The largest file has at most 400 lines, the median one at most 150."""
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FILE} == {}
    assert statistics.median(size for size in sizes.values() if size) <= MEDIAN_FILE


def test_functions_are_short() -> None:
    """No function has more than 50 lines, and the median one at most 10."""
    lengths = dict(functions())
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION


def test_nothing_is_left_for_later() -> None:
    """No marker of unfinished work, no method that only says it is missing."""
    words = ("TO" + "DO", "FIX" + "ME", "X" * 3, "raise NotImplemented")
    left = {path.name: word for path in FILES for word in words if word in path.read_text()}
    assert left == {}
