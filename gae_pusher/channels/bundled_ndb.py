"""BundledNdbChannel: the same twins under the NDB of App Engine's bundled services.

The only module that imports google.appengine.ext.ndb, the NDB of appengine-python-standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from google.appengine.api import urlfetch
from google.appengine.ext import ndb
from google.appengine.runtime import apiproxy_errors

from gae_pusher.channels.appengine import (
    GoogleAppEngineChannel,
    GoogleAppEngineSender,
    urlfetch_arguments,
    urlfetch_error,
    urlfetch_response,
)
from gae_pusher.channels.transactions import TOO_EARLY
from gae_pusher.channels.twins import ChannelTwins
from gae_pusher.errors import InTransaction, PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Pause, Plan
from gae_pusher.sansio.verbs import Verbs

__all__ = ["BundledNdbChannel", "BundledNdbSender"]

T = TypeVar("T")


class BundledNdbSender(GoogleAppEngineSender):
    """Answers `perform_async` with the futures of bundled NDB; urlfetch sends.

    That NDB logs an error that nobody asked for by itself.
    """

    def check_later(self) -> None:
        """Raise InTransaction inside a transaction: a task is added at once, for good."""
        if ndb.in_transaction():
            raise InTransaction(TOO_EARLY)

    @ndb.tasklet  # type: ignore[untyped-decorator]
    def perform_async(self, plan: Plan[T], timeout: float | None = None) -> Any:
        """A future of the plan's answer; every error of the verb settles it."""
        steps, seconds = self.steps(plan), self.timeout(timeout)
        response: Any = None
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Pause):
                        yield ndb.sleep(step.seconds)
                    else:
                        within = step.within(seconds)
                        response = yield self.send_request_async(step.request, within)
                except PusherError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as end:
            return end.value

    def trigger_async(
        self,
        verbs: Verbs,
        what: Mapping[str, str] | Plan[Any],
        answer: Callable[[dict[str, Any]], Any],
        timeout: float | None,
        _batch: bool | None,
    ) -> Any:
        """A future of one trigger: an event of `verbs`, or a plan for many channels."""
        plan = what if isinstance(what, Plan) else verbs.alone(what)
        return self.perform_async(plan.then(answer), timeout)

    @ndb.tasklet  # type: ignore[untyped-decorator]
    def send_request_async(self, request: Request, timeout: float) -> Any:
        """A future of the answer to one signed request, whatever its status."""
        self.require_urlfetch()
        try:
            arguments = urlfetch_arguments(request, timeout)
            result = yield ndb.get_context().urlfetch(**arguments)
        except (urlfetch.Error, apiproxy_errors.Error) as error:
            raise urlfetch_error(error, request, timeout) from None
        response: Response = urlfetch_response(request, result)
        return response


class BundledNdbChannel(ChannelTwins, GoogleAppEngineChannel):
    """The channel type for bundled NDB: `trigger_async` and its like return its futures."""

    sender_type = BundledNdbSender
