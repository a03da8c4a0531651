"""How the API goes wrong on request: documented refusals, a proxy's pages, and connections that break.

Kinds for any path, with their options:
    latency {seconds}             a slow answer
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
    """The server hung up. Over a socket `Served` closes the connection; an in-process client is given this itself."""


def answer_instead(fault: Fault | None) -> SimulatedResponse | None:
    """What is said instead of the endpoint's answer, if anything; documented refusals are raised as ApiError.

    Raises ValueError for a kind this server does not know.
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
            raise ValueError(f"the Compliance API simulator knows no fault {kind!r}; it knows {sorted(KINDS)}")
    return None


def seconds(fault: Fault | None, kind: str) -> float:
    """The `seconds` option when `fault` is of this kind, else 0."""
    return float(fault.options.get("seconds", 0)) if fault and fault.kind == kind else 0.0


async def hold(clock: Clock, duration: float) -> None:
    """Keep the client waiting in real time; a simulated clock moves along."""
    if duration <= 0:
        return
    await asyncio.sleep(duration)
    if isinstance(clock, SimulatedClock):
        await clock.sleep(duration)


def broken(response: Response, fault: Fault | None) -> Response:
    """`response` as the fault leaves it."""
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
    """Promises what `whole` promised, sends only `part`, and hangs up."""

    def __init__(self, whole: Response, part: bytes) -> None:
        super().__init__(part, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        raise ConnectionDropped("the simulated API hung up")
