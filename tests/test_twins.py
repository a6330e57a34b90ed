"""Each verb of Pusher has a twin that asks the same and answers with a future."""

from __future__ import annotations

import inspect
from concurrent.futures import Future
from typing import Any

import pytest

from gae_pusher import Pusher, errors
from gae_pusher.channels.base import Channel, Sender
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Verbs
from gae_pusher.twins import AsyncTwins

TWINS = [name for name in vars(AsyncTwins) if name.endswith("_async") and name[0] != "_"]
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "trigger": (["a", "b"], "an_event", {"x": 1}, "1.2"),
    "trigger_batch": ([{"channel": "a", "name": "e", "data": "x"}], True),
    "send_to_user": ("u-19", "an_event", {}),
    "channels_info": ("presence-", "user_count"),
    "channel_info": ("a", "subscription_count"),
    "users_info": ("presence-a",),
    "terminate_user_connections": ("u-19",),
}


class Noting(Sender):
    """Sends nothing: answers with the operations that it was given, at once or as a future."""

    def perform(self, plan: Plan[Any], timeout: float | None = None) -> Any:
        return plan.operations, timeout

    def perform_async(self, plan: Plan[Any], timeout: float | None = None) -> Any:
        future: Future[Any] = Future()
        future.set_result((plan.operations, timeout))
        return future

    def trigger_async(self, verbs: Verbs, what: Any, answer: Any, *options: Any) -> Any:
        plan = what if isinstance(what, Plan) else verbs.alone(what)
        return self.perform_async(plan.then(answer), options[0])


class NotingChannel(Channel):
    sender_type = Noting


def asked(answer: Any) -> Any:
    operations, timeout = answer
    return [(each.method, each.path, each.params, each.body) for each in operations], timeout


@pytest.fixture
def pusher() -> Pusher:
    return Pusher("1", "k", "s", channel_type=NotingChannel)


def test_every_verb_has_a_twin() -> None:
    """Whatever asks the service something can be asked without waiting."""
    assert sorted(TWINS) == sorted(f"{name}_async" for name in ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_twin_has_the_verbs_parameters(name: str) -> None:
    """Names, order, kinds and defaults are the same; `batch` is for who does not wait."""
    verb, twin = getattr(Pusher, name), getattr(Pusher, f"{name}_async")
    parameters = dict(inspect.signature(twin).parameters)
    if name == "trigger":
        del parameters["batch"]
    assert parameters == inspect.signature(verb).parameters


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_twin_asks_what_the_verb_asks(pusher: Pusher, name: str) -> None:
    """Both make the same requests and hand on the time limit."""
    answer = getattr(pusher, name)(*ARGUMENTS[name], timeout=3)
    future = getattr(pusher, f"{name}_async")(*ARGUMENTS[name], timeout=3)
    assert asked(future.result()) == asked(answer)
    assert asked(answer)[1] == 3


def test_bad_arguments_raise_at_once(pusher: Pusher) -> None:
    """A mistake of the caller needs no future to tell."""
    with pytest.raises(errors.InvalidChannelName):
        pusher.trigger_async("not a channel", "e", {})
