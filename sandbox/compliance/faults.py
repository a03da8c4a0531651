"""Faults of the simulated API: documented errors, responses of a proxy, and broken connections.

Kinds for any path, with their options:
    latency {seconds}             a slow response
    rate_limited {retry_after}    429, as if another tool had spent the budget
    rate_limited_bare             429 without `retry-after`
    server_error, server_error_final, overloaded, bad_gateway
    timeout {seconds}             holds the connection, then drops it
    cut_body {how}                "short": complete HTTP, half the JSON (the default); "length" and "chunked":
                                  the connection drops half-way through a body with, or without, a Content-Length
    not_json                      200 with a web page
    clock_skew {seconds}          added to the `Date` header
Kinds for the activities alone are in `activities.py`.
"""

import asyncio

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.compliance import errors
from sandbox.compliance.activities import PAGE_FAULTS
from sandbox.compliance.responses import SimulatedResponse
from sandbox.faults import Fault
from shared.clock import Clock, SimulatedClock

KINDS = PAGE_FAULTS | {
    *("latency", "rate_limited", "rate_limited_bare", "server_error", "server_error_final", "overloaded"),
    *("bad_gateway", "timeout", "cut_body", "not_json", "clock_skew"),
}


class ConnectionDropped(httpx.RemoteProtocolError):
    """The server dropped the connection: `Served` closes the socket; an in-process client receives this exception."""


def response_instead(fault: Fault | None) -> SimulatedResponse | None:
    """The response that replaces the endpoint's, if any; documented errors are raised as ApiError.

    Raises ValueError for a kind this server does not support.
    """
    if fault is None:
        return None
    match fault.kind:
        case "rate_limited":
            raise errors.rate_limited(fault.options.get("retry_after", 1))
        case "rate_limited_bare":
            raise errors.rate_limited(None)
        case "server_error":
            raise errors.server_error(final=False)
        case "server_error_final":
            raise errors.server_error(final=True)
        case "overloaded":
            raise errors.overloaded()
        case "bad_gateway":
            return SimulatedResponse(502, b"<html><body>502 Bad Gateway</body></html>", media_type="text/html")
        case "not_json":
            return SimulatedResponse(200, b"<!doctype html><title>Please sign in</title>", media_type="text/html")
        case kind if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; the Compliance API simulator supports {sorted(KINDS)}")
    return None


def seconds(fault: Fault | None, kind: str) -> float:
    """The `seconds` option when `fault` is of this kind, else 0."""
    return float(fault.options.get("seconds", 0)) if fault and fault.kind == kind else 0.0


async def delay(clock: Clock, duration: float) -> None:
    """Delay the response in real time; a simulated clock advances as well."""
    if duration <= 0:
        return
    await asyncio.sleep(duration)
    if isinstance(clock, SimulatedClock):
        await clock.sleep(duration)


def corrupted(response: Response, fault: Fault | None) -> Response:
    """`response` with the fault applied."""
    body = bytes(response.body)
    half = body[: len(body) // 2]
    if fault and fault.kind == "timeout":
        return _Dropped(response, b"")
    if fault and fault.kind == "cut_body":
        match fault.options.get("how", "short"):
            case "length":
                return _Dropped(response, half)
            case "chunked":
                del response.headers["content-length"]
                return _Dropped(response, half)
            case _:
                response.body = half
                response.headers["content-length"] = str(len(half))
    return response


class _Dropped(Response):
    """Sends the headers of `whole`, only `part` of the body, and drops the connection."""

    def __init__(self, whole: Response, part: bytes) -> None:
        super().__init__(part, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        raise ConnectionDropped("the simulated API dropped the connection")
