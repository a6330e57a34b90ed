"""The breaker: when nobody asks the service."""

from __future__ import annotations

import pytest

from gae_pusher import errors
from gae_pusher.sansio.breaker import Breaker

DOWN = errors.ConnectionFailed("refused", sent=False)
TROUBLE = errors.ServerError("trouble", status=503)
REFUSED = errors.BadRequest("no", status=400)


def test_it_opens_after_failures_in_a_row() -> None:
    """Two failures of either kind open it; nothing is sent, and that is sure."""
    breaker = Breaker(2, 10)
    breaker.note(DOWN, 0)
    breaker.check(0)
    breaker.note(TROUBLE, 1)
    with pytest.raises(errors.BreakerOpen, match=r"2 times in a row.* 9\.0 more seconds") as caught:
        breaker.check(2)
    assert caught.value.sent is False


@pytest.mark.parametrize("answer", [None, REFUSED])
def test_an_answer_closes_it(answer: errors.PusherError | None) -> None:
    """A service that answers, be it with a refusal, is not dead."""
    breaker = Breaker(2, 10)
    breaker.note(DOWN, 0)
    breaker.note(answer, 1)
    breaker.note(DOWN, 2)
    breaker.check(2)


def test_one_request_asks_again() -> None:
    """After its time one request is let through, the others wait for what comes of it."""
    breaker = Breaker(1, 10)
    breaker.note(DOWN, 0)
    assert breaker.is_open(9)
    assert not breaker.is_open(10)
    breaker.check(10)
    with pytest.raises(errors.BreakerOpen):
        breaker.check(10)
    breaker.note(DOWN, 12)
    with pytest.raises(errors.BreakerOpen):
        breaker.check(21)
    breaker.check(22)
    breaker.note(None, 23)
    breaker.check(23)
    breaker.check(23)


def test_a_hiccup_does_not_open_it() -> None:
    """However many requests fail at once, the row has to last before the service is left alone."""
    breaker = Breaker(10, 10, lasting=1)
    for _ in range(64):
        breaker.note(DOWN, 100)
    breaker.note(DOWN, 100.9)
    breaker.check(100.9)
    breaker.note(DOWN, 101)
    with pytest.raises(errors.BreakerOpen):
        breaker.check(101)


def test_a_row_begins_anew_after_an_answer() -> None:
    """Failures of another hour do not make a hiccup last."""
    breaker = Breaker(2, 10, lasting=1)
    breaker.note(DOWN, 0)
    breaker.note(None, 1)
    breaker.note(DOWN, 3600)
    breaker.note(DOWN, 3600)
    breaker.check(3600)


def test_zero_never_opens() -> None:
    """Without a number of failures there is no breaker."""
    breaker = Breaker(0, 10)
    for _ in range(100):
        breaker.note(DOWN, 0)
    breaker.check(0)
