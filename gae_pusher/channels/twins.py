"""The verbs of one channel for types that answer with futures beside their blocking verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gae_pusher.channels.base import Channel, accepted
from gae_pusher.sansio.http import Request
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Attributes, Verbs

__all__ = ["ChannelTwins", "trigger_async"]


class ChannelTwins(Channel):
    """Each verb of Channel once more with `_async`: the same arguments, the answer as a future.

    Bad arguments raise at once; everything else settles the future.
    """

    def trigger_async(
        self,
        event: str,
        data: Any = {},  # noqa: B006 - never changed; it is what the service gets by default
        socket_id: str | None = None,
        *,
        info: Attributes = None,
        timeout: float | None = None,
        batch: bool | None = None,
    ) -> Any:
        """A future of `trigger`; `batch=False` sends at once, alone."""
        what = self._verbs.event(self.name, event, data, socket_id, info)
        answer = self._channel_info if info else accepted
        return trigger_async(self._sender, self._verbs, what, answer, timeout, batch)

    def info_async(self, attributes: Attributes = None, *, timeout: float | None = None) -> Any:
        """A future of `info`."""
        plan = self._verbs.channel_info(self.name, attributes)
        return self._sender.perform_async(plan, timeout)

    def users_async(self, *, timeout: float | None = None) -> Any:
        """A future of `users`."""
        return self._sender.perform_async(self._verbs.users_info(self.name), timeout)

    def send_request_async(self, request: Request, timeout: float | None = None) -> Any:
        """A future of the raw Response to one signed request, whatever its status."""
        return self._sender.send_request_async(request, self._sender.timeout(timeout))


def trigger_async(
    sender: Any,
    verbs: Verbs,
    what: Mapping[str, str] | Plan[dict[str, Any]],
    answer: Callable[[dict[str, Any]], Any],
    timeout: float | None,
    batch: bool | None,
) -> Any:
    """A future of one trigger, an event or a plan; a sender that can batch may let it wait."""
    if hasattr(sender, "trigger_async"):
        return sender.trigger_async(verbs, what, answer, timeout, batch)
    plan = what if isinstance(what, Plan) else verbs.alone(what)
    return sender.perform_async(plan.then(answer), timeout)
