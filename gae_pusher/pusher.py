"""Pusher: one app of Channels, and the verbs that are not about a single channel."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from gae_pusher.channels.base import Channel, Sender
from gae_pusher.config import resolve
from gae_pusher.environment import options_from_env, overridden, url2options
from gae_pusher.errors import ConfigurationError, WebhookError
from gae_pusher.names import server_to_user_channel
from gae_pusher.sansio import authorization
from gae_pusher.sansio.authorization import ChannelAuthorization, UserAuthentication
from gae_pusher.sansio.encryption import NONCE_BYTES
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Attributes, Verbs
from gae_pusher.secret_manager import with_secrets
from gae_pusher.twins import AsyncTwins

if TYPE_CHECKING:
    from gae_pusher.sansio.webhooks import Webhook

__all__ = ["Pusher"]


class Pusher(AsyncTwins):
    """One app: `Pusher(app_id, key, secret, cluster='eu')['a_channel'].trigger('an_event', data)`.

    What is left out of `app_id`, `key`, `secret`, `host`, `port` and `channel_type` is taken from
    the variables of these names in the module `gae_pusher`. `cluster` gives the host unless `host`
    does. `timeout` is in seconds. `encryption_master_key_base64` opens encrypted channels, the
    other one is its 32 bytes as such. `encoder` is an older name of `json_encoder`; `backend` is
    there to say that its name is `channel_type` now. Every further setting is a field of
    `gae_pusher.config.Config`, or an option of the channel type such as `session=`.
    Raises ConfigurationError for settings that are missing or malformed.
    """

    def __init__(
        self,
        app_id: str | None = None,
        key: str | None = None,
        secret: str | None = None,
        ssl: bool = True,
        host: str | None = None,
        port: int | None = None,
        timeout: float | None = None,
        cluster: str | None = None,
        encryption_master_key: bytes | str | None = None,
        encryption_master_key_base64: str | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        json_decoder: type[json.JSONDecoder] | None = None,
        backend: None = None,
        *,
        encoder: type[json.JSONEncoder] | None = None,
        channel_type: type[Channel] | None = None,
        **options: Any,
    ) -> None:
        if backend is not None:
            raise ConfigurationError(
                "backend= is called channel_type= here: "
                "pass a class such as gae_pusher.TornadoChannel"
            )
        self.config, self._sender_options = resolve(
            app_id=app_id or _default("app_id"),
            key=key or _default("key"),
            secret=secret or _default("secret"),
            ssl=ssl,
            host=host or (None if cluster else _default("host")),
            port=port or (None if cluster else _default("port")),
            timeout=timeout,
            cluster=cluster,
            encryption_master_key=encryption_master_key,
            encryption_master_key_base64=encryption_master_key_base64,
            json_encoder=json_encoder or encoder,
            json_decoder=json_decoder,
            **options,
        )
        self._channel_type = channel_type
        self._verbs = Verbs(self.config, _nonce)
        self._channels: WeakValueDictionary[str, Channel] = WeakValueDictionary()
        self._senders: dict[type[Channel], Sender] = {}
        self._lock = threading.Lock()
        if self._sender_options:
            self._sender()

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Pusher:
        """The app of a URL, https://KEY:SECRET@HOST[:PORT]/apps/APP_ID. Options override it."""
        return cls(**_with_port(overridden(url2options(url), options)))

    @classmethod
    def from_env(
        cls,
        env: str = "PUSHER_URL",
        *,
        environ: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Pusher:
        """The app of the environment: the variable `env`, overridden by PUSHER_KEY and the like.

        A value sm://PROJECT/NAME/VERSION is read from Secret Manager. Options override all.
        `environ` is another mapping of these names, such as a framework's settings.
        """
        # No default argument: help() prints those, and the environment holds the secret.
        variables = with_secrets(os.environ if environ is None else environ)
        return cls(**_with_port(options_from_env(variables, env, **options)))

    def __repr__(self) -> str:
        return f"<Pusher app {self.config.app_id!r} at {self.config.base_url}>"

    def __getitem__(self, name: str) -> Any:
        """The channel of that name; the same object for as long as somebody holds it."""
        with self._lock:
            channel = self._channels.get(name)
            if channel is None:
                channel = self.channel_type(name, self._sender(), self._verbs)
                self._channels[name] = channel
            return channel

    @property
    def channel_type(self) -> type[Channel]:
        """The class of this app's channels: the one it was given, else the module's default."""
        kind: Any = self._channel_type or _default("channel_type")
        if kind is None:
            from gae_pusher.channels.requests import RequestsChannel

            return RequestsChannel
        if not (isinstance(kind, type) and issubclass(kind, Channel)):
            raise ConfigurationError(f"channel_type is {kind!r}, it must be a class of channels")
        return kind

    @property
    def app_id(self) -> str:
        """The app's id."""
        return self.config.app_id

    @property
    def key(self) -> str:
        """The app's public key."""
        return self.config.key

    @property
    def secret(self) -> str:
        """The secret that belongs to the key."""
        return self.config.secret

    @property
    def host(self) -> str:
        """The host of the HTTP API."""
        return self.config.host

    @property
    def port(self) -> int:
        """The port of the HTTP API."""
        return self.config.port

    @property
    def sender(self) -> Sender:
        """What sends for this app, the outbox included."""
        with self._lock:
            return self._sender()

    def trigger(
        self,
        channels: str | Iterable[str],
        event_name: str,
        data: Any,
        socket_id: str | None = None,
        *,
        info: Attributes = None,
        timeout: float | None = None,
    ) -> Any:
        """Trigger an event on one or many channels; returns what the service answered, a dict.

        Over 100 channels travel as several requests, in order. `info` ('user_count',
        'subscription_count') asks for {"channels": {name: ChannelInfo}}. The connection
        `socket_id` does not get the event. An encrypted channel must be alone.
        Raises InvalidRequest before anything is sent; TransportError, ResponseError; and
        PartialFailure, which names the channels that were accepted.
        """
        plan = self._verbs.trigger(channels, event_name, data, socket_id, info)
        return self._perform(plan, timeout)

    def trigger_batch(
        self,
        batch: Iterable[Mapping[str, Any]] = (),
        already_encoded: bool = False,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Trigger many events, ten to a request, in order; returns what the service answered.

        An item has `channel`, `name`, `data` and optionally `socket_id` and `info`; with any
        `info` the answer is {"batch": [ChannelInfo, ...]}, one for each item. Nothing is sent
        for an empty batch. `already_encoded` says that each `data` is the very text to send, on
        an encrypted channel its envelope.
        Raises what `trigger` raises; PartialFailure names indexes.
        """
        return self._perform(self._verbs.trigger_batch(batch, already_encoded), timeout)

    def send_to_user(
        self, user_id: str, event_name: str, data: Any, *, timeout: float | None = None
    ) -> Any:
        """Trigger an event for every connection that is signed in as that user."""
        return self.trigger(server_to_user_channel(user_id), event_name, data, timeout=timeout)

    def channels_info(
        self,
        prefix_filter: str | None = None,
        attributes: Attributes = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """The occupied channels, {"channels": {name: ChannelInfo}}.

        `attributes` may be 'user_count' when `prefix_filter` starts with 'presence-'.
        """
        return self._perform(self._verbs.channels_info(prefix_filter, attributes), timeout)

    def channel_info(
        self, channel: str, attributes: Attributes = None, *, timeout: float | None = None
    ) -> Any:
        """One channel's ChannelInfo; `attributes`: user_count, subscription_count, cache."""
        return self._perform(self._verbs.channel_info(channel, attributes), timeout)

    def users_info(self, channel: str, *, timeout: float | None = None) -> Any:
        """The users of a presence channel, {"users": [{"id": ...}]}."""
        return self._perform(self._verbs.users_info(channel), timeout)

    def terminate_user_connections(self, user_id: str, *, timeout: float | None = None) -> Any:
        """Close every connection that is signed in as that user. They may come back."""
        return self._perform(self._verbs.terminate_user_connections(user_id), timeout)

    def authenticate(
        self, channel: str, socket_id: str, custom_data: Mapping[str, Any] | str | None = None
    ) -> ChannelAuthorization:
        """Authorize one connection for one channel; the answer is JSON for the browser.

        `custom_data` names the member of a presence channel: {"user_id": ..., "user_info": ...}.
        Raises InvalidChannelName, InvalidSocketId, InvalidUserId, PayloadTooLarge,
        MissingMasterKey. Whether the user may read the channel is yours to decide first.
        """
        return authorization.authorize_channel(self.config, channel, socket_id, custom_data)

    def authenticate_user(
        self, socket_id: str, user_data: Mapping[str, Any] | str
    ) -> UserAuthentication:
        """Let one connection sign in as a user; the answer is JSON for the browser.

        `user_data`: {"id": ..., "user_info": ..., "watchlist": [...]}, only `id` is required.
        Raises InvalidSocketId, InvalidUserId, InvalidRequest.
        """
        return authorization.authenticate_user(self.config, socket_id, user_data)

    def webhook(
        self,
        request_body: bytes | str,
        header_key: bytes | str | None,
        header_signature: bytes | str | None,
    ) -> Webhook:
        """A webhook to ask for `valid()`, `events()` and `typed_events()`.

        `request_body` is the raw body, the others are the headers X-Pusher-Key and
        X-Pusher-Signature.
        """
        from gae_pusher.sansio.webhooks import Webhook  # an app that only triggers has none

        # No str may fail here: what cannot be what was signed is refused as a wrong signature.
        body = request_body
        return Webhook(
            body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body,
            _header(header_key),
            _header(header_signature),
            {**self.config.former_keys, self.config.key: self.config.secret},
            time.time(),
            self.config.webhook_max_age_seconds,
            self.config.encryption_master_key,
            self.config.json_decoder,
        )

    def django_webhook(self, request: Any) -> Webhook:
        """The webhook that a Django request carries."""
        headers = request.META
        key, signature = headers.get("HTTP_X_PUSHER_KEY"), headers.get("HTTP_X_PUSHER_SIGNATURE")
        return self.webhook(request.body, key, signature)

    def validate_webhook(
        self, key: bytes | str | None, signature: bytes | str | None, body: bytes | str
    ) -> dict[str, Any] | None:
        """The envelope of an authentic webhook, {"time_ms": ..., "events": [...]}, else None."""
        try:
            return self.webhook(body, key, signature).verify()
        except WebhookError:
            return None

    def close(self) -> Any:
        """Close the connections that nobody uses; a later verb opens new ones.

        With AsyncioChannel it is to be awaited; asyncio.run does it at its end by itself.
        """
        with self._lock:
            sender = self._sender()
        return sender.close()

    def _perform(self, plan: Plan[Any], timeout: float | None) -> Any:
        with self._lock:
            sender = self._sender()
        return sender.perform(plan, timeout)

    def _perform_async(self, plan: Plan[Any], timeout: float | None) -> Any:
        return self._async_sender().perform_async(plan, timeout)

    def _trigger_async(
        self, what: Mapping[str, str] | Plan[Any], timeout: float | None, batch: bool | None
    ) -> Any:
        sender = self._async_sender()
        return sender.trigger_async(self._verbs, what, lambda answer: answer, timeout, batch)

    def _async_sender(self) -> Any:
        sender = self.sender
        if not hasattr(sender, "trigger_async"):
            raise ConfigurationError(
                f"{self.channel_type.__name__} has no *_async verbs: "
                "set channel_type to GaeNdbChannel"
            )
        return sender

    def _sender(self) -> Sender:
        kind = self.channel_type
        if kind not in self._senders:
            try:
                self._senders[kind] = kind.sender_type(self.config, **self._sender_options)
            except TypeError as error:
                raise ConfigurationError(
                    f"{kind.__name__} does not take {', '.join(self._sender_options)}: {error}"
                ) from error
        return self._senders[kind]


def _with_port(options: dict[str, Any]) -> dict[str, Any]:
    """A URL without a port means its scheme's, whatever gae_pusher.port says."""
    if not options.get("host") or options.get("port"):
        return options
    return {**options, "port": 443 if options.get("ssl", True) else 80}


def _nonce() -> bytes:
    return os.urandom(NONCE_BYTES)


def _header(value: bytes | str | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _default(name: str) -> Any:
    """A module-level default, read when it is needed, so that it may be set after the import."""
    return getattr(sys.modules["gae_pusher"], name, None)
