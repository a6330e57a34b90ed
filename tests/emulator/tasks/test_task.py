"""Which states of a task follow which."""

from __future__ import annotations

from itertools import product

import pytest

from gae_pusher.emulator.tasks.task import Event, State, next_state

ALLOWED = {
    (State.SCHEDULED, Event.START): State.RUNNING,
    (State.SCHEDULED, Event.GIVE_UP): State.GIVEN_UP,
    (State.SCHEDULED, Event.DELETE): State.DELETED,
    (State.RUNNING, Event.START): State.RUNNING,
    (State.RUNNING, Event.SUCCEED): State.SUCCEEDED,
    (State.RUNNING, Event.RETRY): State.SCHEDULED,
    (State.RUNNING, Event.GIVE_UP): State.GIVEN_UP,
    (State.RUNNING, Event.DELETE): State.DELETED,
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_is_decided(state: State, event: Event) -> None:
    """What is not allowed is refused; nothing follows an end."""
    if (state, event) in ALLOWED:
        assert next_state(state, event) is ALLOWED[state, event]
    else:
        with pytest.raises(LookupError, match=f"that is {state.value} cannot {event.value}"):
            next_state(state, event)
