"""Steps common to all requests: authentication, fault injection, budget, scope; and the common response headers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from sandbox.compliance import faults
from sandbox.compliance.budget import Allowance
from sandbox.compliance.errors import ApiError, not_enabled, not_found, rate_limited
from sandbox.compliance.keys import ApiKey, authenticate, require_scope
from sandbox.compliance.own_rows import AccessRecord, SeededIds, own_row
from sandbox.compliance.responses import ApiState, Call, SimulatedEndpoint, SimulatedResponse
from sandbox.faults import Fault, Faults
from shared.clock import Clock

CALLER_ADDRESS = "203.0.113.9"  # of a request without X-Forwarded-For


class AccessControl:
    """Wraps endpoints into request handlers, with the API's clock, ids and faults."""

    def __init__(self, state: ApiState, clock: Clock, ids: SeededIds, faults: Faults | None) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids
        self._faults = faults

    def serve(self, endpoint: SimulatedEndpoint | None) -> Callable[[Request], Awaitable[Response]]:
        """A handler for `endpoint`; None is a path that does not exist."""

        async def handle(request: Request) -> Response:
            try:
                key = authenticate(request.headers.get("x-api-key"), self._state.keys)
            except ApiError as refusal:
                # Uses no budget, creates no activity and has no request id (section 3, live-api-notes.md 6).
                return self._response(_refused(refusal, None), {}, self._clock.now())
            return await self._handle_authenticated(request, endpoint, key)

        return handle

    async def _handle_authenticated(
        self, request: Request, endpoint: SimulatedEndpoint | None, key: ApiKey
    ) -> Response:
        params = parse_qs(request.url.query, keep_blank_values=True)
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        fault = self._next_fault(request.method, path, params, key)
        await faults.delay(self._clock, faults.seconds(fault, "latency"))
        now = self._clock.now()
        request_id = self._ids.request()
        allowance = self._state.budget.spend()
        try:
            found = endpoint if request.method == "GET" else None
            answer = self._answer(found, Call(key, params, now, fault), allowance)
        except ApiError as refusal:
            answer = _refused(refusal, request_id)
        self._record(request, path, key, request_id, answer.status, now)
        await faults.delay(self._clock, faults.seconds(fault, "timeout"))
        headers = {"request-id": request_id, **allowance.headers()}
        skew = timedelta(seconds=faults.seconds(fault, "clock_skew"))
        return faults.corrupted(self._response(answer, headers, now + skew), fault)

    def _next_fault(self, method: str, path: str, params: Mapping[str, list[str]], key: ApiKey) -> Fault | None:
        if self._faults is None:
            return None
        return self._faults.next(
            {"method": method, "path": path, "query": params, "now": self._clock.now(), "key": key}
        )

    def _answer(self, endpoint: SimulatedEndpoint | None, call: Call, allowance: Allowance) -> SimulatedResponse:
        if not allowance.granted:
            raise rate_limited(allowance.retry_after)
        instead = faults.response_instead(call.fault)
        if instead is not None:
            return instead
        if endpoint is None:
            raise not_found()
        require_scope(call.key, endpoint.scopes)
        if not self._state.enabled:
            raise not_enabled()
        return endpoint.answer(call)

    def _record(self, request: Request, path: str, key: ApiKey, request_id: str, status: int, now: datetime) -> None:
        """Add the request's own activity; nothing is recorded while the Compliance API is off (section 2.4)."""
        if not (self._state.own_rows and self._state.enabled):
            return
        query = request.url.query
        access = AccessRecord(
            key_id=key.key_id,
            ip_address=request.headers.get("x-forwarded-for", CALLER_ADDRESS),
            user_agent=request.headers.get("user-agent", ""),
            request_id=request_id,
            method=request.method,
            path_and_query=f"{path}?{query}" if query else path,
            status=status,
        )
        self._state.feed.add(own_row(access, self._ids.activity(), now, self._state.indexing_delay))

    def _response(self, answer: SimulatedResponse, headers: Mapping[str, str], now: datetime) -> Response:
        date = format_datetime((now + self._state.date_skew).replace(microsecond=0), usegmt=True)
        return Response(
            answer.body,
            answer.status,
            headers={"date": date, **headers, **answer.headers},
            media_type=answer.media_type,
        )


def _refused(refusal: ApiError, request_id: str | None) -> SimulatedResponse:
    return SimulatedResponse(refusal.status, refusal.body(request_id), refusal.headers)
