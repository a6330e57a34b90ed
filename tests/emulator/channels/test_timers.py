"""Deadlines come up once, in order, unless cancelled or moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.channels.timers import Timers

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 4), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 4), st.just(0)),
        st.tuples(st.just("pop"), st.just(0), st.integers(0, 20)),
    )
)


@given(STEPS)
def test_behaves_like_a_dictionary(steps: list[tuple[str, int, int]]) -> None:
    """Any sequence of calls gives what a plain dictionary of deadlines would give."""
    timers: Timers[int] = Timers()
    model: dict[int, int] = {}
    for step, key, when in steps:
        if step == "set":
            timers.set(key, when)
            model[key] = when
        elif step == "cancel":
            assert timers.cancel(key) == (model.pop(key, None) is not None)
        else:
            due = {key for key, deadline in model.items() if deadline <= when}
            popped = timers.pop_due(when)
            assert set(popped) == due
            deadlines = [model.pop(key) for key in popped]
            assert deadlines == sorted(deadlines)
        assert timers.next_due() == min(model.values(), default=None)


def test_due_deadlines_are_ordered() -> None:
    """The earliest comes first, equal ones in the order in which they were set."""
    timers: Timers[str] = Timers()
    for key, when in (("c", 3), ("a", 1), ("b", 1), ("d", 9)):
        timers.set(key, when)
    assert timers.pop_due(3) == ["a", "b", "c"]
