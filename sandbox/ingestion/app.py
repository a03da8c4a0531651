"""`POST /dataCollectionRules/{immutableId}/streams/{stream}`: access checks, faults, and storage.

Codes and limits are the documented ones. Where the exact message of an error is not known (400 and 429) it is ours,
so match codes and never messages.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults
from sandbox.ingestion.metrics import Metrics
from sandbox.ingestion.payload import LIMIT_BYTES, Payload, PayloadRefused, read
from sandbox.ingestion.rows import Conformed, RuleStream
from sandbox.ingestion.rules import CollectionRule
from shared.clock import Clock

API_VERSIONS = frozenset({"2023-01-01", "2021-11-01-preview"})

_ANSWERS: Mapping[str, tuple[int, str, str]] = {
    "throttled": (429, "TooManyRequests", "Too many requests; retry after the time given"),
    "throttled_bare": (429, "TooManyRequests", "Too many requests"),
    "server_error": (500, "InternalServerError", "The server encountered an error"),
    "unavailable": (503, "ServiceUnavailable", "The service is unavailable"),
    "forbidden": (403, "OperationFailed", "The token has no access to this data collection rule"),
    "unauthorized_once": (401, "AuthenticationFailed", "The token is no longer valid"),
    "too_large": (413, "ContentLengthLimitExceeded", f"Maximum allowed content length: {LIMIT_BYTES} bytes (1 MB)."),
}


def ingestion_app(
    rules: Mapping[str, CollectionRule],
    clock: Clock,
    *,
    faults: Faults | None = None,
    tokens: Mapping[str, bool] | None = None,
    delay: timedelta = timedelta(0),
) -> Starlette:
    """Serve `rules` by immutable id; `app.state.metrics` has the counts.

    `tokens` maps each bearer token to whether it has the publisher role; None accepts any token. Rows can be
    queried as soon as the call returns; `delay` only sets their ingestion_time() later than their receipt.

    Faults: throttled and unavailable {retry_after: seconds, default 1}, throttled_bare, server_error, forbidden,
    unauthorized_once, too_large; refuse_rows {where: row -> bool} refuses a call with such a row; not_stored
    returns 204 and stores nothing; stored_then_reset stores and resets the connection; timeout stores nothing and never
    responds (over HTTP only); latency {seconds} by the clock, then the usual response.
    """
    streams = {
        (rule.immutable_id, name): RuleStream(table) for rule in rules.values() for name, table in rule.streams.items()
    }
    by_id = {rule.immutable_id: rule for rule in rules.values()}
    metrics = Metrics()

    async def ingest(request: Request) -> Response:
        response = await _answer(request)
        metrics.calls[response.status_code] += 1
        return response

    async def _answer(request: Request) -> Response:
        rule_id, stream_name = request.path_params["rule"], request.path_params["stream"]
        denied = _access_error(request, by_id, rule_id, stream_name, tokens)
        if denied is not None:
            return denied
        body = await request.body()
        metrics.bytes_received += len(body)
        refused: PayloadRefused | None = None
        payload = Payload([])
        try:
            payload = await asyncio.to_thread(read, body, request.headers.get("content-encoding", "").lower())
        except PayloadRefused as exc:
            refused = exc
        elements = payload.elements
        facts = {
            "method": request.method,
            "path": request.url.path,
            "rows": len(elements or ()),
            "bytes": len(body),
            "elements": elements or (),
            "now": clock.now(),
        }
        fault = faults.next(facts) if faults is not None else None
        if fault is not None and fault.kind == "latency":
            await clock.sleep(fault.options["seconds"])
        if fault is not None and (wrong := await _fail(fault, request, elements or [])) is not None:
            return wrong
        if refused is not None:
            return _error(refused.status, refused.code, refused.message)
        if elements is None:
            # A common trap: a single object instead of an array is accepted and not stored.
            metrics.bodies_not_arrays += 1
        elif fault is None or fault.kind != "not_stored":
            conformed = await asyncio.to_thread(_take, by_id[rule_id], streams[rule_id, stream_name], elements)
            metrics.count(conformed)
            metrics.rows_stored += len(conformed.rows)
            if fault is not None and fault.kind == "stored_then_reset":
                await _reset(request)
        return Response(status_code=204)

    def _take(rule: CollectionRule, stream: RuleStream, elements: list[Any]) -> Conformed:
        received_at = clock.now()
        conformed = stream.conform(elements, received_at)
        if conformed.rows:
            rule.store(stream.table.name, conformed.rows, ingested_at=received_at + delay)
        return conformed

    app = Starlette(routes=[Route("/dataCollectionRules/{rule}/streams/{stream}", ingest, methods=["POST"])])
    app.state.metrics = metrics
    return app


def _access_error(
    request: Request, rules: Mapping[str, CollectionRule], rule_id: str, stream: str, tokens: Mapping[str, bool] | None
) -> Response | None:
    """The error for a request refused before its body is read, if any."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or (tokens is not None and token not in tokens):
        return _error(
            401, "AuthenticationFailed", "The request has no valid bearer token for https://monitor.azure.com"
        )
    version = request.query_params.get("api-version")
    if version not in API_VERSIONS:
        return _error(
            400, "InvalidApiVersion", f"api-version {version!r} is not one of {', '.join(sorted(API_VERSIONS))}"
        )
    if rule_id not in rules:
        return _error(404, "NotFound", f"Data collection rule with immutable Id '{rule_id}' not found.")
    if tokens is not None and not tokens[token]:
        return _error(
            403,
            "OperationFailed",
            "The authentication token provided does not have access to ingest data for the data collection rule with "
            f"immutable Id '{rule_id}': check its role assignments (RBAC) and the DCR/DCE binding.",
        )
    if stream not in rules[rule_id].streams:
        return _error(400, "InvalidStream", f"The stream {stream} was not configured in the rule '{rule_id}'.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(400, "InvalidContentType", "Content-Type must be application/json")
    return None


async def _fail(fault: Fault, request: Request, elements: list[Any]) -> Response | None:
    """Faults that replace the response."""
    if fault.kind in _ANSWERS:
        status, code, message = _ANSWERS[fault.kind]
        response = _error(status, code, message)
        if fault.kind in ("throttled", "unavailable"):
            response.headers["Retry-After"] = str(fault.options.get("retry_after", 1))
        return response
    if fault.kind == "refuse_rows" and any(fault.options["where"](element) for element in elements):
        return _error(400, "InvalidRow", "The call holds a row that cannot be processed")
    if fault.kind == "timeout":
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response(status_code=504)  # not delivered; counted by the metrics
    return None


async def _reset(request: Request) -> None:
    """Reset the connection without a response.

    ASGI has no message for this. With uvicorn, `receive` is a method of the object that owns the transport; in process
    there is no connection, and the caller gets the exception.
    """
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox reset the connection after storing the rows")
    transport.abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
