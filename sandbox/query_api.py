"""The query API over a workspace: `POST /v1/workspaces/{id}/query`, in the shape Azure's own clients read.

Reference: https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format and .../api/errors
"""

import asyncio
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kql.answer import QueryAnswer, datetime_text, timespan_text
from kql.refusals import KqlRefused
from kql.store import LocalWorkspace

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def query_app(workspaces: Mapping[str, LocalWorkspace], tokens: Mapping[str, bool] | None = None) -> Starlette:
    """Serve `workspaces` by id. `tokens` maps each bearer token to whether it may read; None accepts any token."""

    async def query(request: Request) -> Response:
        refused = _unauthorized(request.headers.get("authorization"), tokens)
        if refused is not None:
            return refused
        workspace = workspaces.get(request.path_params["workspace"])
        if workspace is None:
            return _error(404, "WorkspaceNotFoundError", "The workspace could not be found")
        try:
            body = json.loads(await request.body())
            kql, span, others = body["query"], body.get("timespan"), body.get("workspaces")
            if not isinstance(kql, str) or others:
                raise ValueError("query must be a string, and only one workspace can be queried")
            timespan = None if span is None else parse_timespan(span, workspace.clock.now())
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            return _error(400, "BadArgumentError", f"The request had some invalid properties: {exc}")
        try:
            answer = await asyncio.to_thread(workspace.query, kql, timespan=timespan)
        except KqlRefused as refusal:
            inner = {"code": "SemanticError", "message": str(refusal)}
            place = {} if refusal.line is None else {"line": refusal.line, "pos": refusal.column}
            return _error(400, "BadArgumentError", str(refusal), innererror={**inner, **place})
        return Response(json.dumps(_tables(answer), allow_nan=False), media_type="application/json")

    return Starlette(routes=[Route("/v1/workspaces/{workspace}/query", query, methods=["POST"])])


def parse_timespan(text: str, now: datetime) -> tuple[datetime, datetime]:
    """ISO 8601 `start/end`, `start/duration`, `duration/end` or a `duration` that ends `now`; ValueError otherwise."""
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if first.startswith("P"):
        return (end := _moment(second)) - _duration(first), end
    start = _moment(first)
    return start, start + _duration(second) if second.startswith("P") else _moment(second)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _duration(text: str) -> timedelta:
    parts = _DURATION.fullmatch(text)
    if parts is None or text in ("P", "PT"):
        raise ValueError(f"{text!r} is not an ISO 8601 duration")
    return timedelta(**{unit: float(number) for unit, number in parts.groupdict().items() if number is not None})


def _unauthorized(authorization: str | None, tokens: Mapping[str, bool] | None) -> Response | None:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token or (tokens is not None and token not in tokens):
        return _error(401, "AuthorizationRequiredError", "Valid authentication was not provided")
    if tokens is not None and not tokens[token]:
        return _error(
            403,
            "InsufficientAccessError",
            "The provided credentials have insufficient access to perform the requested operation",
        )
    return None


def _error(status: int, code: str, message: str, **more: Any) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, **more}}, status)


def _tables(answer: QueryAnswer) -> dict[str, Any]:
    columns = [{"name": name, "type": type_} for name, type_ in answer.columns]
    types = [type_ for _, type_ in answer.columns]
    rows = [[_cell(value, type_) for value, type_ in zip(row, types, strict=True)] for row in answer.rows]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}


def _cell(value: Any, type_: str) -> Any:
    """One value as the API writes it: a dynamic as its JSON text, NaN as the string "NaN"."""
    if value is None:
        return None
    if type_ == "dynamic":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, timedelta):
        return timespan_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
