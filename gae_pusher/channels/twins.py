"""The verbs of one channel for types that answer with futures beside their blocking verbs."""

from __future__ import annotations

from typing import Any

from gae_pusher.channels.base import Channel, accepted
from gae_pusher.sansio.http import Request
from gae_pusher.sansio.verbs import Attributes

__all__ = ["ChannelTwins"]


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
        return self._sender.trigger_async(self._verbs, what, answer, timeout, batch)

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
