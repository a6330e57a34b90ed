"""The exchange of a plan: what is asked, in which order, and what a failure tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gae_pusher import errors
from gae_pusher.config import Config
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Plan, once
from gae_pusher.sansio.signing import Credentials
from gae_pusher.sansio.verbs import Verbs

CONFIG = Config(app_id="1", key="k", secret="s")
VERBS = Verbs(CONFIG, lambda: bytes(24))
OK = Response(200, b"{}")


def played(plan: Plan[Any], answers: Sequence[Response | Exception]) -> tuple[Any, list[Request]]:
    """Run a plan against scripted answers; gives its result and the requests it made."""
    clock = iter(range(1000, 2000))
    steps = plan.steps(once(Credentials("k", "s"), lambda: next(clock)))
    requests: list[Request] = []
    try:
        requests.append(next(steps).request)
        for answer in answers:
            if isinstance(answer, Exception):
                requests.append(steps.throw(answer).request)
            else:
                requests.append(steps.send(answer).request)
    except StopIteration as end:
        return end.value, requests
    raise AssertionError("the plan wants more answers")


def items(count: int) -> list[dict[str, Any]]:
    return [{"channel": "c", "name": "e", "data": str(index)} for index in range(count)]


def test_each_request_is_signed_when_it_is_sent() -> None:
    """The second request of a long batch has a time of its own."""
    _, requests = played(VERBS.trigger_batch(items(11)), [OK, OK])
    assert [dict(request.params)["auth_timestamp"] for request in requests] == ["1000", "1001"]


def test_a_failure_of_the_first_request_is_the_error_itself() -> None:
    """Nothing was accepted, so there is nothing to tell beside the error."""
    with pytest.raises(errors.RateLimited):
        played(VERBS.trigger_batch(items(11)), [Response(429)])


@pytest.mark.parametrize("answer", [Response(500), errors.TransportTimeout("late")])
def test_a_later_failure_says_what_was_accepted(answer: Any) -> None:
    """The indexes that are done, those that remain, and the error underneath."""
    with pytest.raises(errors.PartialFailure, match="20 of 25 were accepted") as caught:
        played(VERBS.trigger_batch(items(25)), [OK, OK, answer])
    assert caught.value.accepted == tuple(range(20))
    assert caught.value.remaining == tuple(range(20, 25))
    assert isinstance(caught.value.__cause__, (errors.ServerError, errors.TransportTimeout))
    assert caught.value.retryable


def test_a_partial_trigger_names_channels() -> None:
    """A trigger to many channels tells which ones have the event."""
    channels = [f"c{index}" for index in range(150)]
    with pytest.raises(errors.PartialFailure) as caught:
        played(VERBS.trigger(channels, "e", "x"), [OK, Response(413, b"too large")])
    assert caught.value.accepted == tuple(channels[:100])
    assert caught.value.remaining == tuple(channels[100:])
    assert not caught.value.retryable


def test_an_error_of_the_program_passes_through() -> None:
    """What is none of our errors, a cancellation for example, is not wrapped."""
    steps = VERBS.trigger_batch(items(11)).steps(once(Credentials("k", "s"), lambda: 0))
    next(steps)
    steps.send(OK)
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())


def test_then_changes_the_answer_and_nothing_else() -> None:
    """The same requests, another result."""
    plan = VERBS.trigger("c", "e", "x").then(lambda answer: ("done", answer))
    result, requests = played(plan, [OK])
    assert result == ("done", {})
    assert len(requests) == 1


def test_an_empty_batch_sends_nothing() -> None:
    """No item, no request, an empty answer."""
    assert played(VERBS.trigger_batch([]), []) == ({}, [])


def test_a_body_stays_out_of_the_repr() -> None:
    """Neither the payload nor the secret shows when a plan is printed."""
    plan = Verbs(Config(app_id="1", key="k", secret="hush"), bytes).trigger("c", "e", "hush")
    assert "hush" not in repr(plan.operations)


def test_a_413_names_the_size_and_the_limit() -> None:
    """What was sent and what we believed the service to take, beside its own words."""
    plan = VERBS.trigger("c", "e", "x" * 5_000)
    (operation,) = plan.operations
    with pytest.raises(errors.RequestTooLarge) as raised:
        played(plan, [Response(413, b"Too large")])
    error = raised.value
    assert (error.status, error.size, error.limit) == (413, len(operation.body or b""), 10_240)
    assert f"413: Too large (the request has {error.size} bytes" in str(error)
    assert "limit for an event's data is 10240" in str(error)
