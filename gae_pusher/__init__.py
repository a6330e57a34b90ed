"""The realtime toolkit for Python on Google App Engine.

    import gae_pusher

    pusher = gae_pusher.Pusher(app_id, key, secret, cluster="eu")
    pusher["a_channel"].trigger("an_event", {"some": "data"})

`app_id`, `key`, `secret`, `host`, `port` and `channel_type` are defaults that a Pusher reads when
it, or a channel of it, is made. Channel types and WSGI apps are imported when they are first named:
this package alone loads no optional library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gae_pusher.channels import later, transactions
from gae_pusher.config import Config
from gae_pusher.environment import url2options
from gae_pusher.errors import (
    AppDisabledOrMessageQuotaError,
    AuthenticationError,
    BadRequest,
    BreakerOpen,
    ConfigurationError,
    ConnectionFailed,
    DecryptionFailed,
    EncryptionError,
    Forbidden,
    InTransaction,
    InvalidChannelName,
    InvalidEventName,
    InvalidRequest,
    InvalidSocketId,
    InvalidTask,
    InvalidUserId,
    LocalProtocolError,
    MalformedWebhook,
    MissingHeader,
    MissingMasterKey,
    NoSuchEntry,
    NotFound,
    NotFoundError,
    OutboxError,
    PartialFailure,
    PayloadTooLarge,
    ProtocolError,
    PusherBadAuth,
    PusherBadRequest,
    PusherBadStatus,
    PusherError,
    PusherForbidden,
    RateLimited,
    RemoteProtocolError,
    RequestTooLarge,
    ResponseError,
    ServerError,
    SignatureMismatch,
    StaleWebhook,
    TaskDropped,
    TaskError,
    TaskTooLarge,
    TooManyChannels,
    TransactionTooLarge,
    TransportError,
    TransportTimeout,
    UnexpectedReturnStatusError,
    UnexpectedStatus,
    UnknownEntryVersion,
    UnknownKey,
    UnknownQueue,
    WebhookError,
)
from gae_pusher.extras import needing
from gae_pusher.limits import Limits
from gae_pusher.pusher import Pusher
from gae_pusher.version import __version__

if TYPE_CHECKING:
    from gae_pusher.channels.appengine import GoogleAppEngineChannel
    from gae_pusher.channels.asyncio import AsyncioChannel
    from gae_pusher.channels.base import Channel
    from gae_pusher.channels.bundled_ndb import BundledNdbChannel
    from gae_pusher.channels.gathering import gather
    from gae_pusher.channels.ndb import GaeNdbChannel
    from gae_pusher.channels.requests import RequestsChannel
    from gae_pusher.channels.tornado import TornadoChannel
    from gae_pusher.channels.transactions import Deferred
    from gae_pusher.outbox.app import OutboxApp
    from gae_pusher.outbox.outbox import Outbox
    from gae_pusher.sansio.events import (
        CacheMiss,
        ChannelOccupied,
        ChannelVacated,
        ClientEvent,
        MemberAdded,
        MemberRemoved,
        SubscriptionCount,
        UnknownEvent,
    )
    from gae_pusher.sansio.webhooks import Webhook
    from gae_pusher.tasks.queue import AddedTask, TaskQueue
    from gae_pusher.wsgi.authentication import UserAuthenticationApp
    from gae_pusher.wsgi.authorization import ChannelAuthorizationApp
    from gae_pusher.wsgi.tasks import TaskApp, TaskInfo
    from gae_pusher.wsgi.webhooks import WebhookApp

__all__ = [
    "AddedTask",
    "AppDisabledOrMessageQuotaError",
    "AsyncioChannel",
    "AuthenticationError",
    "BadRequest",
    "BreakerOpen",
    "BundledNdbChannel",
    "CacheMiss",
    "Channel",
    "ChannelAuthorizationApp",
    "ChannelOccupied",
    "ChannelVacated",
    "ClientEvent",
    "Config",
    "ConfigurationError",
    "ConnectionFailed",
    "DecryptionFailed",
    "Deferred",
    "EncryptionError",
    "Forbidden",
    "GaeNdbChannel",
    "GoogleAppEngineChannel",
    "InTransaction",
    "InvalidChannelName",
    "InvalidEventName",
    "InvalidRequest",
    "InvalidSocketId",
    "InvalidTask",
    "InvalidUserId",
    "Limits",
    "LocalProtocolError",
    "MalformedWebhook",
    "MemberAdded",
    "MemberRemoved",
    "MissingHeader",
    "MissingMasterKey",
    "NoSuchEntry",
    "NotFound",
    "NotFoundError",
    "Outbox",
    "OutboxApp",
    "OutboxError",
    "PartialFailure",
    "PayloadTooLarge",
    "ProtocolError",
    "Pusher",
    "PusherBadAuth",
    "PusherBadRequest",
    "PusherBadStatus",
    "PusherError",
    "PusherForbidden",
    "RateLimited",
    "RemoteProtocolError",
    "RequestTooLarge",
    "RequestsChannel",
    "ResponseError",
    "ServerError",
    "SignatureMismatch",
    "StaleWebhook",
    "SubscriptionCount",
    "TaskApp",
    "TaskDropped",
    "TaskError",
    "TaskInfo",
    "TaskQueue",
    "TaskTooLarge",
    "TooManyChannels",
    "TornadoChannel",
    "TransactionTooLarge",
    "TransportError",
    "TransportTimeout",
    "UnexpectedReturnStatusError",
    "UnexpectedStatus",
    "UnknownEntryVersion",
    "UnknownEvent",
    "UnknownKey",
    "UnknownQueue",
    "UserAuthenticationApp",
    "Webhook",
    "WebhookApp",
    "WebhookError",
    "__version__",
    "gather",
    "pusher_from_url",
    "url2options",
]

app_id: str | None = None
key: str | None = None
secret: str | None = None
host: str | None = None
port: int | None = None
channel_type: type[Channel] | None = None

_LAZY = {
    "Channel": "gae_pusher.channels.base",
    "RequestsChannel": "gae_pusher.channels.requests",
    "GoogleAppEngineChannel": "gae_pusher.channels.appengine",
    "GaeNdbChannel": "gae_pusher.channels.ndb",
    "BundledNdbChannel": "gae_pusher.channels.bundled_ndb",
    "TornadoChannel": "gae_pusher.channels.tornado",
    "AsyncioChannel": "gae_pusher.channels.asyncio",
    "Deferred": "gae_pusher.channels.transactions",
    "gather": "gae_pusher.channels.gathering",
    "Outbox": "gae_pusher.outbox.outbox",
    "OutboxApp": "gae_pusher.outbox.app",
    "Webhook": "gae_pusher.sansio.webhooks",
    "WebhookApp": "gae_pusher.wsgi.webhooks",
    "ChannelAuthorizationApp": "gae_pusher.wsgi.authorization",
    "UserAuthenticationApp": "gae_pusher.wsgi.authentication",
    "AddedTask": "gae_pusher.tasks.queue",
    "TaskQueue": "gae_pusher.tasks.queue",
    "TaskApp": "gae_pusher.wsgi.tasks",
    "TaskInfo": "gae_pusher.wsgi.tasks",
    "CacheMiss": "gae_pusher.sansio.events",
    "ChannelOccupied": "gae_pusher.sansio.events",
    "ChannelVacated": "gae_pusher.sansio.events",
    "ClientEvent": "gae_pusher.sansio.events",
    "MemberAdded": "gae_pusher.sansio.events",
    "MemberRemoved": "gae_pusher.sansio.events",
    "SubscriptionCount": "gae_pusher.sansio.events",
    "UnknownEvent": "gae_pusher.sansio.events",
}

# The channels are told what stands above them: what a Pusher gets that is given none.
transactions.default_outbox = lambda: __getattr__("Outbox")()
later.default_queue = lambda: __getattr__("TaskQueue")()


def pusher_from_url(url: str | None = None) -> Pusher:
    """The app of a URL, or of the variable PUSHER_URL as Heroku's add-on sets it."""
    return Pusher.from_url(url) if url else Pusher.from_env()


# What to install for a channel type whose library is optional.
_PACKAGES = {
    "TornadoChannel": "gae-pusher[tornado]",
    "AsyncioChannel": "gae-pusher[asyncio]",
    "BundledNdbChannel": "appengine-python-standard",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        with needing(name, _PACKAGES.get(name, "gae-pusher")):
            value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
