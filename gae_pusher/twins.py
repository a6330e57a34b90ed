"""The app-wide verbs for channel types that answer with futures beside their blocking verbs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from gae_pusher.names import check_channel, server_to_user_channel
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Attributes, Verbs

__all__ = ["AsyncTwins"]


class AsyncTwins(ABC):
    """Each verb of Pusher once more with `_async`: the same arguments, the answer as an ndb.Future.

    Bad arguments raise at once; everything else settles the future.
    Raises ConfigurationError when the channel type has no such verbs.
    """

    _verbs: Verbs

    @abstractmethod
    def _perform_async(self, plan: Plan[Any], timeout: float | None) -> Any:
        """A future of the plan's answer."""

    @abstractmethod
    def _trigger_async(
        self,
        what: Mapping[str, str] | Plan[dict[str, Any]],
        timeout: float | None,
        batch: bool | None,
    ) -> Any:
        """A future of the answer to one trigger, an event or a plan."""

    def trigger_async(
        self,
        channels: str | Iterable[str],
        event_name: str,
        data: Any,
        socket_id: str | None = None,
        *,
        info: Attributes = None,
        timeout: float | None = None,
        batch: bool | None = None,
    ) -> Any:
        """A future of `trigger`; `batch=False` sends at once, alone.

        Else the triggers of one turn of the event loop travel in batches, where the channel type
        is GaeNdbChannel and not told otherwise.
        """
        if isinstance(channels, str):
            check_channel(channels)
            event = self._verbs.event(channels, event_name, data, socket_id, info)
            return self._trigger_async(event, timeout, batch)
        plan = self._verbs.trigger(channels, event_name, data, socket_id, info)
        return self._trigger_async(plan, timeout, batch)

    def trigger_batch_async(
        self,
        batch: Iterable[Mapping[str, Any]] = (),
        already_encoded: bool = False,
        *,
        timeout: float | None = None,
    ) -> Any:
        """A future of `trigger_batch`."""
        return self._perform_async(self._verbs.trigger_batch(batch, already_encoded), timeout)

    def send_to_user_async(
        self, user_id: str, event_name: str, data: Any, *, timeout: float | None = None
    ) -> Any:
        """A future of `send_to_user`."""
        channel = server_to_user_channel(user_id)
        return self.trigger_async(channel, event_name, data, timeout=timeout)

    def channels_info_async(
        self,
        prefix_filter: str | None = None,
        attributes: Attributes = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """A future of `channels_info`."""
        return self._perform_async(self._verbs.channels_info(prefix_filter, attributes), timeout)

    def channel_info_async(
        self, channel: str, attributes: Attributes = None, *, timeout: float | None = None
    ) -> Any:
        """A future of `channel_info`."""
        return self._perform_async(self._verbs.channel_info(channel, attributes), timeout)

    def users_info_async(self, channel: str, *, timeout: float | None = None) -> Any:
        """A future of `users_info`."""
        return self._perform_async(self._verbs.users_info(channel), timeout)

    def terminate_user_connections_async(
        self, user_id: str, *, timeout: float | None = None
    ) -> Any:
        """A future of `terminate_user_connections`."""
        plan = self._verbs.terminate_user_connections(user_id)
        return self._perform_async(plan, timeout)
