"""What a background task looks like on the wire."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.errors import InvalidTask
from gae_pusher.sansio.tasks import check_task, decode_body, encode_body, task_id

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(payload=JSON)
def test_a_payload_arrives_as_it_was_sent(payload: Any) -> None:
    """Every JSON value survives the way through a body."""
    assert decode_body(encode_body("import-cards", payload)) == ("import-cards", payload)


def test_a_body_says_its_version_and_task() -> None:
    """The body is JSON that a later release can recognize."""
    assert json.loads(encode_body("t", {"a": 1})) == {
        "version": 1,
        "task": "t",
        "payload": {"a": 1},
    }


@pytest.mark.parametrize(
    "payload", [object(), {1, 2}, b"bytes", float("nan"), float("inf"), {"x": [b""]}]
)
def test_a_payload_that_is_no_json_is_refused(payload: Any) -> None:
    """Nothing is pickled or turned into text silently."""
    with pytest.raises(InvalidTask, match="must be JSON"):
        encode_body("t", payload)


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"7", b"{}", b'{"version":1,"task":"t"}', b"[" * 100_000, b"\xff"],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    """Whatever else arrives is an InvalidTask, never another exception."""
    with pytest.raises(InvalidTask):
        decode_body(body)


def test_a_body_of_another_version_is_refused() -> None:
    """A release does not guess what a later one meant."""
    with pytest.raises(InvalidTask, match="version 2, this release reads 1"):
        decode_body(b'{"version":2,"task":"t","payload":null}')


@pytest.mark.parametrize("task", ["", "a/b", "a b", "ü", "x" * 101, "a\n", None, 7, ["t"]])
def test_a_bad_task_name_is_refused(task: Any) -> None:
    """A task's name can stand in a path and in a task id as it is."""
    with pytest.raises(InvalidTask, match="letters, digits"):
        check_task(task)
    with pytest.raises(InvalidTask):
        encode_body(task, None)
    with pytest.raises(InvalidTask):
        decode_body(json.dumps({"version": 1, "task": task, "payload": 1}).encode())


@given(name=st.text(st.characters(), min_size=1))
def test_a_task_id_is_valid_for_any_name(name: str) -> None:
    """Cloud Tasks takes letters, digits, hyphens and underscores, at most 500."""
    allowed = set(string.ascii_letters + string.digits + "-_")
    assert set(task_id("import-cards", name)) <= allowed
    assert len(task_id("x" * 100, name)) <= 500


def test_an_empty_name_is_refused() -> None:
    """An id that was forgotten would make all tasks duplicates of the first one."""
    with pytest.raises(InvalidTask, match="name is empty"):
        task_id("import-cards", "")


def test_task_ids_of_a_sequence_have_no_common_prefix() -> None:
    """Sequential names become ids that begin differently, and stay apart by task."""
    ids = {task_id("t", f"order-{number}")[:8] for number in range(1_000)}
    assert len(ids) == 1_000
    assert task_id("a", "same") != task_id("b", "same")
    assert task_id("a", "same") == task_id("a", "same")
