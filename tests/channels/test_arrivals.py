"""Answers reach the loop's thread, each once, whenever and from wherever they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from google.cloud import ndb

from gae_pusher.channels.arrivals import Arrivals
from tests.channels.roads import ndb_client

Answer = Future[Any]


@pytest.fixture
def loop() -> Iterator[Any]:
    """The event loop of an NDB context; what is expected must be there when it ends."""
    with ndb_client().context() as context:
        yield context.eventloop


def test_answers_of_many_threads_come_to_this_one(loop: Any) -> None:
    """Each taker is called once, here, with its own answer."""
    arrivals, taken = Arrivals(loop), []
    answers: list[Answer] = [Future() for _ in range(200)]
    for number, answer in enumerate(answers):
        arrivals.queue_rpc(
            answer, lambda got, n=number: taken.append((n, got.result(), threading.get_ident()))
        )
    threads = [
        threading.Thread(target=lambda part=part: [answers[n].set_result(n) for n in part])
        for part in (range(0, 200, 2), range(1, 200, 2))
    ]
    for thread in threads:
        thread.start()
    loop.run()
    assert sorted(taken) == [(n, n, threading.get_ident()) for n in range(200)]
    for thread in threads:
        thread.join()


def test_what_came_before_it_was_expected_comes_too(loop: Any) -> None:
    """An answer that is there at once needs no other to ring for it."""
    arrivals, taken = Arrivals(loop), []
    answer: Answer = Future()
    answer.set_result(1)
    arrivals.queue_rpc(answer, lambda got: taken.append(got.result()))
    loop.run()
    assert taken == [1]


def test_a_taker_may_expect_the_next_one(loop: Any) -> None:
    """As a request does that is sent when the one before it was answered."""
    arrivals, taken = Arrivals(loop), []

    def take(got: Answer) -> None:
        taken.append(got.result())
        if len(taken) < 5:
            following: Answer = Future()
            arrivals.queue_rpc(following, take)
            following.set_result(len(taken))

    first: Answer = Future()
    arrivals.queue_rpc(first, take)
    first.set_result(0)
    loop.run()
    assert taken == [0, 1, 2, 3, 4]


def test_an_error_of_a_taker_loses_no_answer(loop: Any) -> None:
    """It goes to who runs the loop; the other answers come when the loop runs on."""
    arrivals, taken = Arrivals(loop), []

    def fail(_: Answer) -> None:
        raise KeyError("a callback of the user's own")

    answers: list[Answer] = [Future() for _ in range(3)]
    for answer, taker in zip(answers, (fail, taken.append, taken.append), strict=True):
        arrivals.queue_rpc(answer, taker)
        answer.set_result(None)
    with pytest.raises(KeyError):
        loop.run()
    loop.run()
    assert taken == answers[1:]


def test_others_have_their_turn_between(loop: Any) -> None:
    """Answers that bring forth more answers do not keep tasklets from running."""
    arrivals, order = Arrivals(loop), []

    def take(_: Answer) -> None:
        order.append("answer")
        if len(order) < 6:
            loop.call_soon(order.append, "tasklet")
            following: Answer = Future()
            following.set_result(None)
            arrivals.queue_rpc(following, take)

    first: Answer = Future()
    first.set_result(None)
    arrivals.queue_rpc(first, take)
    loop.run()
    assert order == ["answer", "tasklet"] * 3 + ["answer"]


def test_the_end_of_the_context_waits_for_them() -> None:
    """As it does for everything in the loop's own queue."""
    taken: list[Answer] = []
    answer: Answer = Future()
    timer = threading.Timer(0.05, answer.set_result, [None])
    with ndb_client().context() as context:
        Arrivals(context.eventloop).queue_rpc(answer, taken.append)
        timer.start()
        assert isinstance(context.eventloop, ndb._eventloop.EventLoop)
    assert taken == [answer]
