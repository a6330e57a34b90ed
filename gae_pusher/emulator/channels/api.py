"""The HTTP API as a function from request to answer (protocol section 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gae_pusher.emulator.channels import api_events, api_queries
from gae_pusher.emulator.channels.gate import ApiError, ApiRequest, check_authentic
from gae_pusher.emulator.channels.json_text import dumps
from gae_pusher.emulator.channels.service import Orders, Service
from gae_pusher.errors import InvalidRequest

__all__ = ["ApiResponse", "answer"]

_Answer: TypeAlias = tuple[int, object, Orders]
_Endpoint: TypeAlias = Callable[[Service, ApiRequest, str, float], _Answer]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """Status and body: a JSON object when it is yes, a line of text when it is no."""

    status: int
    body: str
    content_type: str
    orders: Orders = field(default_factory=list)


def answer(
    services: Mapping[str, Service], request: ApiRequest, now: float, wall: float
) -> ApiResponse:
    """Answer one request. `now` is the core's time, `wall` unix time for the timestamp check."""
    try:
        service, endpoint, name = _route(services, request)
        check_authentic(request, service.app, wall)
        status, result, orders = endpoint(service, request, name, now)
    except ApiError as error:
        return ApiResponse(error.status, f"{error.message}\n", "text/plain")
    except InvalidRequest as error:
        return ApiResponse(400, f"{error}\n", "text/plain")
    return ApiResponse(status, dumps(result), "application/json", orders)


def _route(services: Mapping[str, Service], request: ApiRequest) -> tuple[Service, _Endpoint, str]:
    segments = request.segments
    if len(segments) < 3 or segments[0] != "apps":
        raise ApiError(404, "404 NOT FOUND")
    service = services.get(segments[1])
    if service is None:
        raise ApiError(404, f"App {segments[1]} is not on this server")
    rest = segments[2:]
    name = rest[1] if len(rest) > 1 else ""
    endpoint = _ENDPOINTS.get((request.method, (rest[0], *rest[2:]), bool(name)))
    if endpoint is None or len(rest) > 3:
        raise ApiError(404, "404 NOT FOUND")
    return service, endpoint, name


def _trigger(service: Service, request: ApiRequest, _: str, now: float) -> _Answer:
    result, orders = api_events.trigger(service, request, now)
    return 200, result, orders


def _batch(service: Service, request: ApiRequest, _: str, now: float) -> _Answer:
    result, orders = api_events.trigger_batch(service, request, now)
    return 200, result, orders


def _channel_event(service: Service, request: ApiRequest, channel: str, now: float) -> _Answer:
    # Superseded in 2012, and the only request that is answered with 202 (section 1.9).
    return 202, {}, api_events.trigger_raw(service, request, channel, now)


def _channels(service: Service, request: ApiRequest, _: str, now: float) -> _Answer:
    return 200, api_queries.channels(service, request.params), []


def _channel(service: Service, request: ApiRequest, channel: str, now: float) -> _Answer:
    return 200, api_queries.channel(service, request.params, channel, now), []


def _users(service: Service, request: ApiRequest, channel: str, now: float) -> _Answer:
    return 200, api_queries.users(service, channel), []


def _stats(service: Service, request: ApiRequest, channel: str, now: float) -> _Answer:
    return 200, api_queries.stats(service, channel), []


def _terminate(service: Service, request: ApiRequest, user_id: str, now: float) -> _Answer:
    return 200, {}, service.terminate(user_id)


# By method, the fixed parts of the path below /apps/<id>, and whether a name stands between them.
_ENDPOINTS: Final[Mapping[Any, _Endpoint]] = {
    ("POST", ("events",), False): _trigger,
    ("POST", ("batch_events",), False): _batch,
    ("GET", ("channels",), False): _channels,
    ("GET", ("channels",), True): _channel,
    ("GET", ("channels", "users"), True): _users,
    ("POST", ("users", "terminate_connections"), True): _terminate,
    ("POST", ("channels", "events"), True): _channel_event,
    ("GET", ("channels", "stats"), True): _stats,
}
