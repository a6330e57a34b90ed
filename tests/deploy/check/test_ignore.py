"""The language of .gcloudignore, as gcloud reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gae_pusher.deploy.check.ignore import Ignore, MissingInclude
from gae_pusher.deploy.check.second_opinions import gcloud_python
from tests.conftest import missing

CASES = [
    ("*.log", "a/b.log", True),
    ("*.log\n!b.log", "a/b.log", False),
    ("/tests/", "tests/a.py", True),
    ("/tests/", "lib/tests/a.py", False),
    ("tests/", "tests", False),
    ("a/b", "x/a/b", True),
    ("/a/b", "x/a/b", False),
    ("a/**/b", "a/x/y/b", True),
    ("a/**/b", "a/b", True),
    ("**/b", "x/y/b", True),
    ("a/**", "a/x", True),
    ("*\n!/app", "app/x.py", False),
    ("*\n!/app", "other/x.py", True),
    ("*\n!/app\n__pycache__/", "app/__pycache__/x.pyc", True),
    ("# a comment\n\n", "a", False),
    ("[ab].py", "a.py", True),
    ("[!ab].py", "a.py", False),
    ("a?", "ab", True),
    ("name \\ ", "name  ", True),
]


@pytest.mark.parametrize(("text", "path", "ignored"), CASES)
def test_patterns(text: str, path: str, ignored: bool) -> None:
    """The last pattern that matches decides, and nothing below an ignored folder comes back."""
    assert Ignore(text).ignores_below(path) is ignored


def test_includes() -> None:
    """An include stands for the lines of its file; a missing one is told."""
    ignore = Ignore("#!include:more\n!b.log", {"more": "*.log"}.get)
    assert [ignore.ignores(name) for name in ("a.log", "b.log")] == [True, False]
    with pytest.raises(MissingInclude, match="nothing"):
        Ignore("#!include:nothing")


NAMES = st.sampled_from(["aa", "bb", "main.py", "x.log", "aab", "foo bar"])
PARTS = st.sampled_from(["aa", "bb", "*", "**", "*.py", "a?", "[ab]a", "[!a]b", "aa*", "foo\\ bar"])
PATTERNS = st.builds(
    lambda negated, first, parts, last: negated + first + "/".join(parts) + last,
    st.sampled_from(["", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
# What gcloud's own chooser says, asked in its own Python.
ASK = """
import json, os, sys
root = sys.argv[1]
sys.path[:0] = [os.path.join(root, "lib", "third_party"), os.path.join(root, "lib")]
from googlecloudsdk.command_lib.util.gcloudignore import FileChooser
cases = json.load(sys.stdin)
print(json.dumps([[FileChooser.FromString(text).IsIncluded(path) for path in paths]
                  for text, paths in cases]))
"""


def test_agrees_with_gcloud(tmp_path: Path) -> None:
    """gcloud's own code decides the same for random patterns and paths."""
    found = gcloud_python()
    if found is None:
        missing("needs gcloud: install the Google Cloud SDK to compare with its patterns")
    cases: list[tuple[str, list[str]]] = []

    @settings(max_examples=300, database=None, deadline=None)
    @given(
        st.lists(PATTERNS, min_size=1, max_size=4).map("\n".join),
        st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=10, max_size=20),
    )
    def collect(text: str, paths: list[str]) -> None:
        cases.append((text, paths))

    collect()
    root, python = found
    answer = subprocess.run(
        [python, "-c", ASK, str(root)],
        input=json.dumps(cases), capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = [[not Ignore(text).ignores_below(path) for path in paths] for text, paths in cases]
    assert ours == json.loads(answer.stdout)
