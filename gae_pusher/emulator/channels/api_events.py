"""The requests that trigger: one event, a batch, the old raw form (sections 1.2, 1.3, 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gae_pusher.emulator.channels import api_queries
from gae_pusher.emulator.channels.gate import ApiError, ApiRequest
from gae_pusher.emulator.channels.json_text import loads, utf8_length
from gae_pusher.emulator.channels.rules import check_channel_name, check_triggered_event
from gae_pusher.emulator.channels.service import Event, Orders, Service
from gae_pusher.names import check_socket_id

__all__ = ["events_of", "trigger", "trigger_batch", "trigger_raw"]

_LIMITS_PAGE = "https://pusher.com/docs/channels/server_api/http-api/"


def trigger(service: Service, request: ApiRequest, now: float) -> tuple[object, Orders]:
    """`POST /events`: one event on up to 100 channels, with the counts that `info` asks for."""
    fields = _fields(request)
    events = events_of(service, fields)
    info = api_queries.parse_info(service, fields.get("info"))
    orders = [order for event in events for order in service.trigger(event, now)]
    if not info:
        return {}, orders
    channels = {e.channel: api_queries.counts(service, e.channel, info) for e in events}
    return {"channels": channels}, orders


def trigger_batch(service: Service, request: ApiRequest, now: float) -> tuple[object, Orders]:
    """`POST /batch_events`: all events are checked before the first is delivered."""
    items = _batch_items(service, _fields(request))
    events = [_event(service, item, _string(item, "channel")) for item in items]
    infos = [api_queries.parse_info(service, item.get("info")) for item in items]
    orders = [order for event in events for order in service.trigger(event, now)]
    if not any(infos):
        return {}, orders
    counts = [
        api_queries.counts(service, event.channel, info)
        for event, info in zip(events, infos, strict=True)
    ]
    return {"batch": counts}, orders


def trigger_raw(service: Service, request: ApiRequest, channel: str, now: float) -> Orders:
    """`POST /channels/<channel>/events?name=`: the body is the data, whatever text it is."""
    try:
        data = request.body.decode()
    except UnicodeDecodeError:
        raise ApiError(400, "The body is not UTF-8") from None
    fields = {**request.params, "data": data}
    return service.trigger(_event(service, fields, channel), now)


def events_of(service: Service, fields: Mapping[str, Any]) -> list[Event]:
    """The events of one trigger, one per distinct channel. Raises ApiError or InvalidRequest."""
    channels = fields.get("channels")
    if channels is None:
        channels = [_string(fields, "channel")]
    if not isinstance(channels, list) or not channels:
        raise ApiError(400, "Invalid parameter channels: an array of names is wanted")
    limit = service.app.limits.channels_per_trigger
    if len(channels) > limit:
        raise ApiError(400, f"Too many channels ({len(channels)} > {limit})")
    if not all(isinstance(channel, str) for channel in channels):
        raise ApiError(400, "Invalid parameter channels: an array of names is wanted")
    return [_event(service, fields, channel) for channel in dict.fromkeys(channels)]


def _event(service: Service, fields: Mapping[str, Any], channel: str) -> Event:
    strict = service.settings.strict
    name = check_triggered_event(_string(fields, "name"), strict=strict)
    data = _string(fields, "data")
    limit = service.app.limits.event_data_bytes
    if utf8_length(data) > limit:
        raise ApiError(
            413,
            f"The data content of this event exceeds the allowed maximum ({limit} bytes). "
            f"See {_LIMITS_PAGE} for more info",
        )
    socket_id = fields.get("socket_id")
    if socket_id is not None:
        socket_id = check_socket_id(socket_id)
    return Event(check_channel_name(channel, strict=strict), name, data, socket_id)


def _batch_items(service: Service, fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = fields.get("batch")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ApiError(400, "Missing required parameter: batch, an array of events")
    limit = service.app.limits.events_per_batch
    if len(items) > limit:
        raise ApiError(400, f"Batch too large ({len(items)} > {limit})")
    return items


def _fields(request: ApiRequest) -> dict[str, Any]:
    """The JSON body over the query, where POST parameters are legal too."""
    fields: dict[str, Any] = dict(request.params)
    channels = [value for name, value in request.pairs if name.startswith("channels[")]
    if channels:
        fields["channels"] = channels
    if not request.body:
        return fields
    try:
        body = loads(request.body.decode())
    except ValueError:
        raise ApiError(400, "The body is not JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object")
    return {**fields, **body}


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise ApiError(400, f"Missing required parameter: {name}")
    if not isinstance(value, str):
        raise ApiError(400, f"Invalid parameter {name}: a string is wanted")
    return value
