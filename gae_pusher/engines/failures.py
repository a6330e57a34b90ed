"""How a failed exchange is told, the same for every channel type: never with the signed query."""

from __future__ import annotations

from gae_pusher.errors import ConnectionFailed, RemoteProtocolError, TransportTimeout
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request

__all__ = ["broken", "busy", "connect_timeout", "no_http", "timeout", "too_large", "unconnected"]


def unconnected(request: Request, reason: object) -> ConnectionFailed:
    """Refused, unresolvable, untrusted: nothing was sent."""
    return ConnectionFailed(f"no connection to {request.base_url}: {reason}", sent=False)


def connect_timeout(request: Request, seconds: float) -> TransportTimeout:
    """The time was up before anything was sent."""
    return TransportTimeout(
        f"no connection to {request.base_url} within {seconds:g} seconds", sent=False
    )


def busy(connections: int, seconds: float) -> TransportTimeout:
    """The time was up before a connection was free."""
    return TransportTimeout(
        f"all {connections} connections were busy for {seconds:g} seconds: "
        "raise the option connections",
        sent=False,
    )


def broken(request: Request, reason: object) -> ConnectionFailed:
    """Cut off after the request was on its way: it may have had its effect."""
    return ConnectionFailed(f"the connection to {request.base_url} broke: {reason}")


def timeout(request: Request, seconds: float) -> TransportTimeout:
    """The time was up before the whole answer was there: the request may have had its effect."""
    return TransportTimeout(f"no answer from {request.base_url} within {seconds:g} seconds")


def no_http(request: Request) -> RemoteProtocolError:
    """What came back is no HTTP."""
    return RemoteProtocolError(f"{request.base_url} answered with something that is no HTTP")


def too_large(request: Request) -> RemoteProtocolError:
    """More came back than anybody wants to hold in memory."""
    return RemoteProtocolError(
        f"the answer of {request.base_url} is larger than {RESPONSE_BYTES} bytes"
    )
