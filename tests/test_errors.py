"""The error tree: what catches what, which facts an error keeps, and the older modules' names."""

from __future__ import annotations

import copy
import pickle

import pytest

from gae_pusher import errors
from gae_pusher.sansio.http import Response
from gae_pusher.sansio.responses import error_for

CLASSES = sorted(
    {value for value in vars(errors).values() if isinstance(value, type)} - {object},
    key=lambda kind: kind.__name__,
)
STATUSES = (204, 301, 302, 400, 401, 403, 404, 405, 408, 413, 418, 429, 500, 502, 503)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_pusher_error(name: str) -> None:
    """Whatever this package raises on purpose is caught by `except PusherError`."""
    assert issubclass(getattr(errors, name), errors.PusherError)


def test_the_docstring_draws_the_tree() -> None:
    """The tree in the module's docstring names every class below the error that it inherits."""
    tree = errors.__doc__ or ""
    old = {"PusherBadStatus", "UnexpectedReturnStatusError"}
    drawn = [kind.__name__ for kind in CLASSES if kind.__module__ == errors.__name__]
    assert [name for name in drawn if name not in tree and name not in old] == []


@pytest.mark.parametrize(
    "error",
    [
        errors.PayloadTooLarge("big", size=11, limit=10),
        errors.BadRequest("no", status=400, body="Unknown auth_key"),
        errors.ConnectionFailed("refused", sent=False),
        errors.MissingHeader("none", header="X-Pusher-Key"),
        errors.StaleWebhook("old", age_seconds=700.5),
        errors.RemoteProtocolError("closed", close_code=4001),
        errors.PartialFailure(
            "1 of 2", accepted=["a"], remaining=["b"], cause=errors.RateLimited("slow", status=429)
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_keeps_its_facts_when_it_is_copied(error: errors.PusherError) -> None:
    """Pickling, as a process pool does it, and copying lose neither text nor facts."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_invalid_requests_are_value_errors() -> None:
    """Code that caught the ValueError of pusher 3.3 catches a wrong argument still."""
    assert issubclass(errors.InvalidRequest, ValueError)


@pytest.mark.parametrize("status", STATUSES)
def test_names_of_2012_catch_the_statuses_they_used_to(status: int) -> None:
    """401, 403 and 404 have a name of their own; UnexpectedReturnStatusError is for the rest."""
    error = error_for(Response(status))
    expected = {
        401: errors.AuthenticationError,
        403: errors.AppDisabledOrMessageQuotaError,
        404: errors.NotFoundError,
    }.get(status, errors.UnexpectedReturnStatusError)
    names = (
        errors.AuthenticationError,
        errors.AppDisabledOrMessageQuotaError,
        errors.NotFoundError,
        errors.UnexpectedReturnStatusError,
    )
    assert [name for name in names if isinstance(error, name)] == [expected]


@pytest.mark.parametrize("status", STATUSES)
def test_names_of_pusher_3_catch_the_statuses_they_used_to(status: int) -> None:
    """400, 401 and 403 have a name of their own; PusherBadStatus is for the rest."""
    error = error_for(Response(status))
    expected = {
        400: errors.PusherBadRequest,
        401: errors.PusherBadAuth,
        403: errors.PusherForbidden,
    }.get(status, errors.PusherBadStatus)
    names = (
        errors.PusherBadRequest,
        errors.PusherBadAuth,
        errors.PusherForbidden,
        errors.PusherBadStatus,
    )
    assert [name for name in names if isinstance(error, name)] == [expected]


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_may_pass_by_itself_is_retryable(status: int) -> None:
    """429 and 5xx can succeed later without a change, every other answer cannot."""
    assert error_for(Response(status)).retryable == (status == 429 or status >= 500)


def test_a_partial_failure_is_as_retryable_as_its_cause() -> None:
    """The rest of a call may be tried again exactly when the request that failed may be."""
    for cause in (errors.TransportTimeout("late"), errors.BadRequest("no", status=400)):
        error = errors.PartialFailure("part", accepted=[0], remaining=[1], cause=cause)
        assert error.retryable == cause.retryable
        assert error.__cause__ is cause
