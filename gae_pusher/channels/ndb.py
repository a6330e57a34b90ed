"""GaeNdbChannel: futures of Cloud NDB, to be yielded in tasklets beside those of Datastore.

The only module of the channels that imports google.cloud.ndb. The HTTP work happens on the
engine's threads; what it brings comes back through the queue of the context's event loop, as
gRPC's answers do. So leaving `client.context()` waits for every trigger that is under way.
"""

from __future__ import annotations

import functools
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future as EngineFuture
from typing import Any, TypeVar

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.channels.appengine import GoogleAppEngineChannel, GoogleAppEngineSender
from gae_pusher.channels.batching import Batches, Trigger, told
from gae_pusher.channels.performing import Performance
from gae_pusher.channels.transactions import TOO_EARLY, Deferred, OutboxLike, Transactions
from gae_pusher.channels.twins import ChannelTwins
from gae_pusher.config import Config
from gae_pusher.engines.base import CONNECTIONS
from gae_pusher.engines.processes import process_id
from gae_pusher.errors import ConfigurationError, InTransaction
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Verbs

__all__ = ["Future", "GaeNdbChannel", "GaeNdbSender"]

T = TypeVar("T")
_Places = dict[tuple[int, int], weakref.ref[Batches]]  # by a loop's id and the process's
logger = logging.getLogger("gae_pusher")


class Future(ndb.Future):  # type: ignore[misc]
    """An ndb.Future that logs its error when it is forgotten and nobody has asked for it.

    To ask is to yield it in a tasklet, to call `result`, `check_success` or `exception`, or to
    add a callback that does.
    """

    _unasked: _Unasked | None = None

    def set_exception(self, exception: BaseException) -> None:
        """Settle with an error."""
        if not (self.done() or isinstance(exception, ndb.exceptions.Cancelled)):
            self._unasked = _Unasked(self.info, exception)
        super().set_exception(exception)

    def exception(self) -> BaseException | None:
        """The error, None when there is none or none yet."""
        if self._unasked is not None:
            self._unasked.error = None
        error: BaseException | None = ndb.Future.exception(self)  # super() takes twice as long
        return error

    get_exception = exception

    def check_success(self) -> None:
        """Wait, then raise the error if there is one."""
        self.wait()
        error = self.exception()
        if error is not None:
            raise error


class _Unasked:
    """An error that is logged when its future is gone; futures without one need no finalizer."""

    def __init__(self, info: str, error: BaseException) -> None:
        self._info = info
        self.error: BaseException | None = error

    def __del__(self) -> None:
        if self.error is not None:
            logger.error("%s failed and nobody asked", self._info, exc_info=self.error)


class GaeNdbSender(GoogleAppEngineSender):
    """Blocks as its parent does, and answers `perform_async` with futures.

    Inside a transaction triggers wait for the commit as `on_commit` says: 'outbox' stores them
    with it in `outbox` (by default one with default settings), 'send' sends them after it,
    'raise' refuses. The answer is then Deferred, at once.

    Else the triggers of one turn of the event loop travel together, ten to a request, over up to
    `connections` connections, unless `batch` is False.
    """

    def __init__(
        self,
        config: Config,
        *,
        outbox: OutboxLike | None = None,
        on_commit: str = "outbox",
        batch: bool = True,
        connections: int = CONNECTIONS,
        **options: Any,
    ) -> None:
        super().__init__(config, connections=connections, **options)
        self.connections = connections
        self.batch = batch
        self.batch_endpoint = True  # until the server turns out to have none
        self._batches: _Places = {}
        self.transactions = Transactions(on_commit, outbox)

    def perform(self, plan: Plan[T], timeout: float | None = None) -> Any:
        """The plan's answer; Deferred for triggers inside a transaction."""
        return self._deferred(plan) or super().perform(plan, timeout)

    def check_later(self) -> None:
        """Raise InTransaction inside a transaction: a task is added at once, for good."""
        if _in_transaction():
            raise InTransaction(TOO_EARLY)

    def perform_async(
        self, plan: Plan[T], timeout: float | None = None, info: str = "a request to Channels"
    ) -> Future:
        """A future of the plan's answer; every error of the verb settles it. `info` names it.

        Inside a transaction that of a trigger is settled already, so it may be yielded there.
        Raises ConfigurationError outside of a context, InTransaction with on_commit='raise'.
        """
        deferred = self._deferred(plan)
        if deferred is not None:
            future = Future("a trigger that waits for the commit")
            future.set_result(deferred)
            return future
        future = Future(info)
        loop, seconds = _loop(), self.timeout(timeout)
        done = _settling(future)
        Performance(loop, self.engine.submit, seconds, self.steps(plan), [future], done).start()
        return future

    def attempt_async(self, plan: Plan[T], timeout: float) -> Future:
        """A future of one attempt, neither repeated nor rescued, for the outbox: it has a count."""
        future = Future("an attempt of the outbox")
        steps, done = self.unrepeated(plan), _settling(future)
        Performance(_loop(), self.engine.submit, timeout, steps, [future], done).start()
        return future

    def trigger_async(
        self,
        verbs: Verbs,
        what: Mapping[str, str] | Plan[Any],
        answer: Callable[[dict[str, Any]], Any],
        timeout: float | None,
        batch: bool | None,
    ) -> Future:
        """A future of one trigger, sent with the others of this turn unless `batch` is False.

        `what` is an event of `verbs`, or a plan for many channels; `answer` makes the verb's
        answer of the service's. Raises what `perform_async` raises.
        """
        context = _context()
        if not (self.batch if batch is None else batch) or context.in_transaction():
            plan = what if isinstance(what, Plan) else verbs.alone(what)
            return self.perform_async(plan.then(answer), timeout, told(what))
        future = Future("a trigger")
        loop = context.eventloop
        place = id(loop), process_id()
        known = self._batches.get(place)
        batches = known() if known else None
        if batches is None:
            batches = Batches(self, verbs, loop)
            # It holds the loop, so no other loop has this id for as long as it lives.
            forget = functools.partial(_forget, self._batches, place)
            self._batches[place] = weakref.ref(batches, forget)
        batches.add(Trigger(what, future, answer, self.timeout(timeout)))
        return future

    def performance(
        self,
        loop: Any,
        plan: Plan[Any],
        timeout: float,
        futures: Sequence[Any],
        done: Callable[[Any, Exception | None], None],
    ) -> Performance:
        """A plan, ready to start on this loop for these futures; `done` gets what came of it."""
        steps = self.unrescued(plan)
        return Performance(loop, self.engine.submit, timeout, steps, futures, done)

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
        return self.transactions.defer(self, plan) if _in_transaction() else None


def _forget(places: _Places, place: tuple[int, int], gone: weakref.ref[Batches]) -> None:
    if places.get(place) is gone:  # the garbage collector may be late, on any thread
        del places[place]


class GaeNdbChannel(ChannelTwins, GoogleAppEngineChannel):
    """The channel type for Cloud NDB: `trigger_async` and its like return an ndb.Future."""

    sender_type = GaeNdbSender


def _settling(future: Future) -> Callable[[Any, Exception | None], None]:
    def settle(answer: Any, error: Exception | None) -> None:
        if future.done():
            return  # cancelled meanwhile
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)

    return settle


def _in_transaction() -> bool:
    context = ndb.context.get_context(False)
    return context is not None and bool(context.in_transaction())


def _loop() -> Any:
    return _context().eventloop


def _context() -> Any:
    try:
        return ndb.get_context()
    except ndb.exceptions.ContextError as error:
        raise ConfigurationError(
            "an _async verb needs an NDB context: call it inside `with client.context():`, "
            "or use the verb without _async"
        ) from error
