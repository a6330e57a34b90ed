"""GaeNdbChannel: futures of Cloud NDB, to be yielded in tasklets beside those of Datastore.

The only module of the channels that imports google.cloud.ndb. The HTTP work happens on the
engine's threads; what it brings comes back through the queue of the context's event loop, as
gRPC's answers do. So leaving `client.context()` waits for every trigger that is under way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future as EngineFuture
from typing import Any, Generic, TypeVar

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.channels.appengine import GoogleAppEngineChannel, GoogleAppEngineSender
from gae_pusher.channels.transactions import Deferred, OutboxLike, Transactions
from gae_pusher.channels.twins import ChannelTwins
from gae_pusher.config import Config
from gae_pusher.errors import ConfigurationError, PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Plan, Steps

__all__ = ["Future", "GaeNdbChannel", "GaeNdbSender"]

T = TypeVar("T")
logger = logging.getLogger("gae_pusher")


class Future(ndb.Future):  # type: ignore[misc]
    """An ndb.Future that logs its error when it is forgotten and nobody has asked for it.

    To ask is to yield it in a tasklet, to call `result`, `check_success` or `exception`, or to
    add a callback that does.
    """

    _unasked: BaseException | None = None

    def set_exception(self, exception: BaseException) -> None:
        """Settle with an error."""
        if not isinstance(exception, ndb.exceptions.Cancelled):
            self._unasked = exception
        super().set_exception(exception)

    def exception(self) -> BaseException | None:
        """The error, None when there is none or none yet."""
        self._unasked = None
        error: BaseException | None = super().exception()
        return error

    get_exception = exception

    def check_success(self) -> None:
        """Wait, then raise the error if there is one."""
        try:
            super().check_success()
        finally:
            self._unasked = None

    def __del__(self) -> None:
        if self._unasked is not None:
            logger.error("%s failed and nobody asked", self.info, exc_info=self._unasked)


class GaeNdbSender(GoogleAppEngineSender):
    """Blocks as its parent does, and answers `perform_async` with futures.

    Inside a transaction triggers wait for the commit as `on_commit` says: 'outbox' stores them
    with it in `outbox` (by default one with default settings), 'send' sends them after it,
    'raise' refuses. The answer is then Deferred, at once.
    """

    def __init__(
        self,
        config: Config,
        *,
        outbox: OutboxLike | None = None,
        on_commit: str = "outbox",
        **options: Any,
    ) -> None:
        super().__init__(config, **options)
        self.transactions = Transactions(on_commit, outbox)

    def perform(self, plan: Plan[T], timeout: float | None = None) -> Any:
        """The plan's answer; Deferred for triggers inside a transaction."""
        return self._deferred(plan) or super().perform(plan, timeout)

    def perform_async(self, plan: Plan[T], timeout: float | None = None) -> Future:
        """A future of the plan's answer; every error of the verb settles it.

        Inside a transaction that of a trigger is settled already, so it may be yielded there.
        Raises ConfigurationError outside of a context, InTransaction with on_commit='raise'.
        """
        deferred = self._deferred(plan)
        if deferred is not None:
            future = Future("a trigger that waits for the commit")
            future.set_result(deferred)
            return future
        return _Performance(self, plan, self.timeout(timeout)).future

    def send_request_async(self, request: Request, timeout: float) -> Future:
        """A future of the answer to one signed request, whatever its status."""
        loop, future = _loop(), Future("an HTTP request")

        def done(answer: EngineFuture[Response]) -> None:
            if future.done():
                return  # cancelled meanwhile
            error = answer.exception()
            if error is None:
                future.set_result(answer.result())
            else:
                future.set_exception(error)

        loop.queue_rpc(self.engine.submit(request, timeout), done)
        return future

    def _deferred(self, plan: Plan[Any]) -> Deferred | None:
        context = ndb.context.get_context(False)
        if context is None or not context.in_transaction():
            return None
        return self.transactions.defer(self, plan)


class GaeNdbChannel(ChannelTwins, GoogleAppEngineChannel):
    """The channel type for Cloud NDB: `trigger_async` and its like return an ndb.Future."""

    sender_type = GaeNdbSender


class _Performance(Generic[T]):
    """A plan under way on the event loop."""

    def __init__(self, sender: GaeNdbSender, plan: Plan[T], timeout: float) -> None:
        _loop()
        self.future = Future("a request to the Channels service")
        self._steps: Steps[T] = sender.steps(plan)
        self._send: Callable[[Request], Future] = lambda r: sender.send_request_async(r, timeout)
        self._move(self._steps.send, None)

    def _move(self, move: Callable[[Any], Request], value: Any) -> None:
        try:
            request = move(value)
        except StopIteration as end:
            self.future.set_result(end.value)
        except PusherError as error:
            self.future.set_exception(_untraced(error))
        except Exception as error:  # a decoder of the user's own, say
            self.future.set_exception(error)
        else:
            self._send(request).add_done_callback(self._answered)

    def _answered(self, answer: Future) -> None:
        if self.future.done():
            return  # cancelled meanwhile
        error = answer.exception()
        if error is None:
            self._move(self._steps.send, answer.result())
        else:
            self._move(self._steps.throw, error)


def _untraced(error: PusherError) -> PusherError:
    """Without its way through this package: those frames hold the future, which holds the error.

    A future that nobody asks would be forgotten late then, and its error logged late.
    """
    told: BaseException | None = error
    while isinstance(told, PusherError):
        told.__traceback__ = None
        told = told.__cause__
    return error


def _loop() -> Any:
    try:
        return ndb.get_context().eventloop
    except ndb.exceptions.ContextError as error:
        raise ConfigurationError(
            "an _async verb needs an NDB context: call it inside `with client.context():`, "
            "or use the verb without _async"
        ) from error
