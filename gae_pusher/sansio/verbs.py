"""Every verb of the HTTP API as a plan; all checks happen here, before anything is sent.

Sections are those of the protocol reference, docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from gae_pusher import names
from gae_pusher.config import Config
from gae_pusher.errors import InvalidChannelName, InvalidRequest, InvalidUserId, TooManyChannels
from gae_pusher.names import ChannelKind
from gae_pusher.sansio import encryption, messages
from gae_pusher.sansio.operations import Operation, Plan
from gae_pusher.sansio.responses import ChannelInfo, ChannelsInfo, UsersInfo
from gae_pusher.sansio.signing import Params

__all__ = ["Attributes", "Verbs"]

T = TypeVar("T")
Answer = dict[str, Any]
Attributes = str | Iterable[str] | None
Encode = Callable[[str, str, Any], str]  # of channel, event and data

_BATCH_FIELDS = frozenset({"channel", "name", "data", "socket_id", "info"})
_BATCH_REQUIRED = ("channel", "name", "data")
_SMALLER = "trigger a reference and let the page fetch the rest"


class Verbs:
    """Builds the plans of every verb for one app; checks everything before anything is sent.

    `nonce` gives 24 random bytes for each encrypted event.
    """

    def __init__(self, config: Config, nonce: Callable[[], bytes]) -> None:
        self.config = config
        self._nonce = nonce
        self._dump_data = messages.dumper(config.json_encoder)
        self._apps = f"/apps/{config.app_id}"

    def trigger(
        self,
        channels: str | Iterable[str],
        event: str,
        data: Any,
        socket_id: str | None = None,
        info: Attributes = None,
        already_encoded: bool = False,
    ) -> Plan[dict[str, Any]]:
        """POST /events (section 1.2), one request for each 100 channels."""
        targets = self._targets(channels)
        fields: dict[str, Any] = {"name": names.check_event(event)}
        encode = self._encoded if already_encoded else self._data
        fields["data"] = encode(targets[0], event, data)
        fields |= self._options(socket_id, info)
        slices = _slices(targets, self.config.limits.channels_per_trigger)
        operations = tuple(self._post("/events", {**fields, "channels": part}) for part in slices)
        return Plan(operations, _merge_triggers, slices)

    def trigger_batch(
        self, batch: Iterable[Mapping[str, Any]], already_encoded: bool = False
    ) -> Plan[dict[str, Any]]:
        """POST /batch_events (section 1.3), one request for each 10 events. Empty: no request.

        An item has `channel`, `name`, `data` and optionally `socket_id` and `info`.
        """
        if isinstance(batch, (str, bytes, Mapping)) or not isinstance(batch, Iterable):
            raise InvalidRequest(f"batch must be a list of dicts, not {type(batch).__name__}")
        encode = self._encoded if already_encoded else self._data
        items = [self._batch_item(index, item, encode) for index, item in enumerate(batch)]
        return self.together(items)

    def event(
        self,
        channel: str,
        event: str,
        data: Any,
        socket_id: str | None = None,
        info: Attributes = None,
        encode: Encode | None = None,
    ) -> dict[str, str]:
        """One event for one channel of a checked name, checked and encoded.

        For `alone` and `together`.
        """
        names.check_event(event)
        text = (encode or self._data)(channel, event, data)
        fields = {"channel": channel, "name": event, "data": text}
        return fields | self._options(socket_id, info) if socket_id or info else fields

    def alone(self, event: Mapping[str, str]) -> Plan[dict[str, Any]]:
        """POST /events for one event, as `trigger` does it."""
        fields: dict[str, Any] = dict(event)
        targets = [fields.pop("channel")]
        return Plan((self._post("/events", {**fields, "channels": targets}),), _only, (targets,))

    def together(self, items: Sequence[Mapping[str, str]]) -> Plan[dict[str, Any]]:
        """POST /batch_events for events, as `trigger_batch` does it."""
        slices = _slices(items, self.config.limits.events_per_batch)
        operations = tuple([self._post("/batch_events", {"batch": part}) for part in slices])
        sizes = [len(part) for part in slices]
        indexes = _slices(range(len(items)), self.config.limits.events_per_batch)
        return Plan(operations, lambda answers: _merge_batches(answers, sizes), indexes)

    def channels_info(
        self, prefix_filter: str | None = None, attributes: Attributes = None
    ) -> Plan[ChannelsInfo]:
        """GET /channels (section 1.4)."""
        params = _info_params(attributes)
        if prefix_filter:
            params += (("filter_by_prefix", _text(prefix_filter, "prefix_filter")),)
        return self._get("/channels", params, _channels)

    def channel_info(self, channel: str, attributes: Attributes = None) -> Plan[ChannelInfo]:
        """GET /channels/{channel} (section 1.5)."""
        return self._get(f"/channels/{_in_path(channel)}", _info_params(attributes), _channel)

    def users_info(self, channel: str) -> Plan[UsersInfo]:
        """GET /channels/{channel}/users (section 1.6); presence channels only."""
        if not ChannelKind.of(names.check_channel(channel)) & ChannelKind.PRESENCE:
            raise InvalidChannelName(
                f"channel {channel!r} has no users: only names that start with 'presence-' do"
            )
        return self._get(f"/channels/{channel}/users", (), _users)

    def terminate_user_connections(self, user_id: str) -> Plan[dict[str, Any]]:
        """POST /users/{user_id}/terminate_connections (section 1.7)."""
        user = names.check_path_segment(names.check_user_id(user_id), InvalidUserId)
        return Plan((self._post(f"/users/{user}/terminate_connections", {}),), _only)

    def _targets(self, channels: str | Iterable[str]) -> list[str]:
        if isinstance(channels, str):
            return [names.check_channel(channels)]
        if isinstance(channels, (bytes, Mapping)) or not isinstance(channels, Iterable):
            raise InvalidRequest(
                f"channels must be a str or a list of str, not {type(channels).__name__}"
            )
        targets = list(dict.fromkeys(names.check_channel(name) for name in channels))
        if not targets:
            raise InvalidRequest("channels is empty: name at least one channel")
        encrypted = [name for name in targets if names.is_encrypted(name)]
        if encrypted and len(targets) > 1:
            raise TooManyChannels(
                f"{encrypted[0]!r} is end-to-end encrypted and must be triggered alone, "
                f"{len(targets)} channels were given: use trigger_batch"
            )
        return targets

    def _data(self, channel: str, event: str, data: Any) -> str:
        try:
            text = data if isinstance(data, str) else self._dump_data(data)
        except messages.UNWRITABLE as error:
            raise messages.unwritable(_data_of(event, channel), error) from error
        if names.is_encrypted(channel):
            what = _data_of(event, channel)
            messages.check_size(text, self.config.limits.event_data_bytes, what, _SMALLER)
            key = self.config.encryption_master_key
            text = encryption.seal(channel, text, key, self._nonce())
        return self._encoded(channel, event, text)

    def _encoded(self, channel: str, event: str, text: str) -> str:
        limit = self.config.limits.event_data_bytes
        if isinstance(text, str) and len(text) <= limit and text.isascii():
            return text  # nearly always, and the words for an error take longer than this
        what = _data_of(event, channel)
        if not isinstance(text, str):
            raise InvalidRequest(f"{what} must be a str when it is already encoded")
        messages.check_size(text, limit, what, _SMALLER)
        return text

    def _batch_item(self, index: int, item: Mapping[str, Any], encode: Encode) -> dict[str, str]:
        _check_fields(index, item)
        channel, socket_id, info = item["channel"], item.get("socket_id"), item.get("info")
        names.check_channel(channel)
        return self.event(channel, item["name"], item["data"], socket_id, info, encode)

    def _options(self, socket_id: str | None, info: Attributes) -> dict[str, str]:
        """An empty socket id is what a form without one gives: then nobody is left out."""
        options = dict(_info_params(info))
        if socket_id:
            options["socket_id"] = names.check_socket_id(socket_id)
        return options

    def _post(self, path: str, fields: Mapping[str, Any]) -> Operation[dict[str, Any]]:
        body = messages.dump_fields(fields).encode()
        return Operation(self.config, "POST", self._apps + path, _as_it_is, body=body)

    def _get(self, path: str, params: Params, decode: Callable[[dict[str, Any]], T]) -> Plan[T]:
        operation = Operation(self.config, "GET", self._apps + path, decode, params)
        return Plan((operation,), _only)


def _data_of(event: str, channel: str) -> str:
    return f"the data of event {event!r} on {channel!r}"


def _only(answers: list[T]) -> T:
    return answers[0]


def _slices(items: Sequence[T], size: int) -> tuple[Sequence[T], ...]:
    return tuple([items[start : start + size] for start in range(0, len(items), size)])


def _info_params(attributes: Attributes) -> Params:
    """The `info` parameter, unless nothing is asked for."""
    if attributes is None:
        return ()
    many = isinstance(attributes, Iterable) and not isinstance(attributes, str)
    info = ",".join(_text(name, "info") for name in (attributes if many else (attributes,)))
    return (("info", info),) if info else ()


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{what} must be a str, not {type(value).__name__}")
    messages.utf8_size(value, what)
    return value


def _in_path(channel: str) -> str:
    """Names of the alphabet need no escaping, so that the signed and the sent path are one text."""
    if ChannelKind.of(names.check_channel(channel)) & ChannelKind.SERVER_TO_USER:
        raise InvalidChannelName(f"channel {channel!r} is a user's own and cannot be asked about")
    return names.check_path_segment(channel, InvalidChannelName)


def _check_fields(index: int, item: Mapping[str, Any]) -> None:
    if not isinstance(item, Mapping):
        raise InvalidRequest(f"item {index} of the batch must be a dict: {type(item).__name__}")
    missing = [name for name in _BATCH_REQUIRED if name not in item]
    if missing:
        raise InvalidRequest(f"item {index} of the batch has no {missing[0]!r}")
    unknown = sorted(map(str, item.keys() - _BATCH_FIELDS))
    if unknown:
        raise InvalidRequest(
            f"item {index} of the batch has {unknown[0]!r}: "
            f"its fields are {', '.join(sorted(_BATCH_FIELDS))}"
        )


def _merge_triggers(answers: list[Answer]) -> Answer:
    merged: Answer = {}
    for answer in answers:
        channels = merged.get("channels", {}) | answer.get("channels", {})
        merged |= {**answer, "channels": channels} if channels else answer
    return merged


def _merge_batches(answers: list[Answer], sizes: list[int]) -> Answer:
    """Reverb answers an object instead of an array: then nothing is known about any item."""
    parts = [answer.get("batch") for answer in answers]
    if not any(isinstance(part, list) for part in parts):
        return answers[0] if len(answers) == 1 else {}
    aligned = (
        part if isinstance(part, list) else [{}] * size
        for part, size in zip(parts, sizes, strict=True)
    )
    return {"batch": [entry for part in aligned for entry in part]}


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _channels(answer: Answer) -> ChannelsInfo:
    """PHP servers write an empty object as an empty array."""
    return {"channels": answer.get("channels") or {}}


def _channel(answer: Answer) -> ChannelInfo:
    return cast(ChannelInfo, answer)


def _users(answer: Answer) -> UsersInfo:
    return {"users": answer.get("users") or []}
