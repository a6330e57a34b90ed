"""Which process this is, and what a fork shares."""

from __future__ import annotations

import os

import pytest

from gae_pusher.engines.processes import PerProcess, process_id

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")


def in_a_child(work: object) -> str:
    """What a forked child's work returns, as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, str(work()).encode())  # type: ignore[operator]
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as told:
        return told.read()


def test_a_child_knows_that_it_is_another_process() -> None:
    """The id is the system's, in the parent and in the child."""
    assert process_id() == os.getpid()
    assert in_a_child(lambda: process_id() == os.getpid()) == "True"


def test_a_child_makes_its_own_value() -> None:
    """A value made before the fork is not the child's, and what it forgets stays the parent's."""
    values = PerProcess(object)
    mine = values.get()
    assert in_a_child(lambda: values.get() is mine) == "False"
    assert in_a_child(values.pop) == "None"
    assert values.get() is mine
    assert values.pop() is mine
