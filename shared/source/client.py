"""Authenticated GETs against the Compliance and Admin API: retries, budgets, and errors by the name of who must act."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import tenacity
from pydantic import SecretStr

from shared.clock import Clock
from shared.errors import BudgetSpent, SourceBusy, SourceIncoherent
from shared.logs import event, logger
from shared.models import Receipts
from shared.retry import bounded, http_date, retrying
from shared.source.endpoint import Endpoint, Method
from shared.source.rate_limit import RateLimit, RateLimits
from shared.source.response import ACCEPTED_ENCODING, pieces, refusal, whole_body

log = logger(__name__)

ATTEMPTS = 5
READ_SECONDS = 60.0
CONNECT_SECONDS = 10.0

Parameters = Sequence[tuple[str, str]]
NO_IDS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A 200: the raw body, and what its headers report."""

    body: bytes
    request_id: str
    server_time: datetime | None


@dataclass(frozen=True, slots=True)
class Download:
    """A 200 whose body is taken piece by piece, once; names in `headers` are lower case and their values untrusted."""

    headers: Mapping[str, str]
    request_id: str
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """The API's answer to one GET, whatever its status. `body` is None when it is not JSON.

    `date` is the API's clock, `at` ours half-way between question and answer; `limit` and `remaining` are the request
    budget's headers, where given.
    """

    status: int
    body: Any
    at: datetime
    date: datetime | None = None
    request_id: str = ""
    limit: int | None = None
    remaining: int | None = None


class Keys:
    """The connection's key, newest version first; fetched when a run begins, so that a rotation works at once."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[SecretStr]]]) -> None:
        self._fetch = fetch
        self._keys: Sequence[SecretStr] = ()
        self._at = 0

    async def refresh(self) -> None:
        self._keys, self._at = await self._fetch(), 0

    async def current(self) -> str:
        if not self._keys:
            await self.refresh()
        return self._keys[self._at].get_secret_value()

    def next(self) -> bool:
        """Fall back to the previous version; False when there is none."""
        if self._at + 1 >= len(self._keys):
            return False
        self._at += 1
        return True


def open_http(
    base_url: str, *, connections: int = 10, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """HTTP to one API. No redirect is followed, ever: it would carry the key elsewhere."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=connections),
        transport=transport,
        follow_redirects=False,
    )


class ComplianceClient:
    """GETs with the connection's key; shared by all runs of a connection, which keep their own `Receipts`.

    Retry-After is a floor, `x-should-retry: false` is obeyed, and nothing waits beyond the run's deadline. `limits` is
    shared by the clients of one parent organization. Facts: docs/architecture.md, "What the API promises".
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        keys: Keys,
        clock: Clock,
        *,
        version: str,
        user_agent: str,
        limits: RateLimits | None = None,
        seed: int = 0,
    ) -> None:
        self._http = http
        self._keys = keys
        self._clock = clock
        self._headers = {
            "anthropic-version": version,
            "user-agent": user_agent,
            "accept-encoding": ACCEPTED_ENCODING,
        }
        self._jitter = random.Random(seed)
        self._key_turn = asyncio.Lock()
        self._limits = limits or RateLimits()

    def limit(self, endpoint: Endpoint) -> RateLimit:
        """What is known of the budget that `endpoint` uses."""
        return self._limits.of(endpoint.budget)

    def is_past(self, deadline: datetime) -> bool:
        return self._clock.now() >= deadline

    async def begin_run(self) -> None:
        """Read the key afresh."""
        await self._keys.refresh()

    async def key(self) -> str:
        """The key in force. Raises what fetching it raises."""
        return await self._keys.current()

    async def reply(self, path: str, parameters: Parameters = ()) -> Reply:
        """One GET without retries, whatever it answers: for diagnosis. SourceBusy when nothing answers."""
        headers = {**self._headers, "x-api-key": await self.key()}
        request = self._http.build_request("GET", path, params=list(parameters), headers=headers)
        asked_at = self._clock.now()
        try:
            response = await self._http.send(request, stream=True)
            try:
                answered_at = self._clock.now()
                content = await whole_body(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as broken:
            raise SourceBusy(f"the Compliance API did not answer ({type(broken).__name__})") from broken
        except SourceIncoherent as unreadable:
            raise SourceBusy(str(unreadable)) from unreadable
        budget = RateLimit()
        budget.hear(response.headers, answered_at)
        try:
            body = msgspec.json.decode(content)
        except msgspec.DecodeError:
            body = None
        return Reply(
            status=response.status_code,
            body=body,
            at=asked_at + (answered_at - asked_at) / 2,
            date=http_date(response.headers.get("date")),
            request_id=_request_id(response),
            limit=budget.limit,
            remaining=budget.remaining,
        )

    async def get(
        self,
        endpoint: Endpoint,
        parameters: Parameters,
        receipts: Receipts,
        *,
        deadline: datetime,
        ids: Mapping[str, str] = NO_IDS,
        reserve: int | None = None,
        take: Callable[[ApiResponse], None] | None = None,
    ) -> ApiResponse:
        """The answer to one GET; `ids` fill the path.

        `reserve`: the share of planned reading; waits a minute, or raises BudgetSpent when the run ends first.
        `take` judges the body inside the retry loop, so that a cut page is fetched again.
        Raises what `endpoint.means` says (BadRequest, SourceRefused, NotAvailable, ItemGone); SourceBusy;
        SourceIncoherent (final 500s, bodies over BODY_LIMIT_BYTES).
        """
        if reserve is not None:
            await self._leave_some(endpoint, reserve, deadline)
        async for attempt in self._attempts(endpoint, receipts, deadline):
            with attempt:
                async with bounded(self._clock, deadline, _late()):
                    response = await self._open(endpoint, ids, parameters, receipts)
                    try:
                        body = await whole_body(response)
                    finally:
                        await response.aclose()
                answer = ApiResponse(body, _request_id(response), http_date(response.headers.get("date")))
                if take is not None:
                    take(answer)
        return answer

    @asynccontextmanager
    async def stream(
        self,
        endpoint: Endpoint,
        receipts: Receipts,
        *,
        deadline: datetime,
        ids: Mapping[str, str] = NO_IDS,
        parameters: Parameters = (),
        limit_bytes: int | None = None,
        reserve: int | None = None,
    ) -> AsyncIterator[Download]:
        """A download that is never held whole.

        Opening it is retried and raises as `get`. The pieces raise SourceBusy when the answer breaks off or `deadline`
        passes, SourceIncoherent beyond `limit_bytes`: what was taken until then is to be thrown away.
        """
        if reserve is not None:
            await self._leave_some(endpoint, reserve, deadline)
        async for attempt in self._attempts(endpoint, receipts, deadline):
            with attempt:
                async with bounded(self._clock, deadline, _late()):
                    response = await self._open(endpoint, ids, parameters, receipts)
        try:
            async with aclosing(pieces(response, limit_bytes=limit_bytes)) as body:
                yield Download(dict(response.headers), _request_id(response), self._in_time(body, deadline))
        finally:
            await response.aclose()

    async def _in_time(self, body: AsyncIterator[bytes], deadline: datetime) -> AsyncGenerator[bytes, None]:
        async for piece in body:
            if self.is_past(deadline):
                raise SourceBusy("the run's time was up before a download ended: the next run asks for it again")
            yield piece

    def _attempts(self, endpoint: Endpoint, receipts: Receipts, deadline: datetime) -> tenacity.AsyncRetrying:
        def count() -> None:
            receipts.retries += 1

        return retrying(
            self._clock,
            SourceBusy,
            attempts=ATTEMPTS,
            deadline=deadline,
            jitter=self._jitter,
            what=endpoint.path,
            count=count,
        )

    async def _leave_some(self, endpoint: Endpoint, reserve: int, deadline: datetime) -> None:
        limit = self.limit(endpoint)
        pause = limit.wait_for(reserve, self._clock.now())
        while pause > timedelta(0):
            if self._clock.now() + pause >= deadline:
                raise BudgetSpent(f"fewer than {reserve} requests are left this minute; the next run resumes")
            event(log, "budget.waited", seconds=round(pause.total_seconds(), 1), reserve=reserve)
            await self._clock.sleep(pause.total_seconds())
            pause = limit.wait_for(reserve, self._clock.now())

    async def _open(
        self, endpoint: Endpoint, ids: Mapping[str, str], parameters: Parameters, receipts: Receipts
    ) -> httpx.Response:
        """A 200 with its body still to come; the caller closes it."""
        if endpoint.method is not Method.GET:
            raise ValueError(f"{endpoint.method} {endpoint.path}: this client only reads")
        address = endpoint.address(ids)
        key = await self._keys.current()
        limit = self.limit(endpoint)
        limit.spend()
        receipts.requests += 1
        headers = {**self._headers, "x-api-key": key}
        if endpoint.beta:
            headers["anthropic-beta"] = endpoint.beta
        request = self._http.build_request("GET", address, params=list(parameters), headers=headers)
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as broken:
            # An API that hangs says nothing of this window; one that breaks off in the middle of a page may.
            raise SourceBusy(
                f"the Compliance API did not answer ({type(broken).__name__}): if it lasts, check COMPLIANCE_API_URL, "
                "DNS and the outbound rules of the network"
            ) from broken
        limit.hear(response.headers, self._clock.now())
        if request_id := _request_id(response):
            receipts.request_ids.append(request_id)
        if response.status_code == 200:
            return response
        try:
            if response.status_code == 401 and await self._previous_key(key):
                raise SourceBusy("the key was refused; trying its previous version", after=0.0)
            raise await refusal(endpoint, response, self._clock.now())
        finally:
            await response.aclose()

    async def _previous_key(self, refused: str) -> bool:
        """Move to the previous key once, however many readers were refused with the current one."""
        async with self._key_turn:
            if await self._keys.current() != refused:
                return True
            return self._keys.next()


def _late() -> SourceBusy:
    return SourceBusy(
        "the Compliance API had not finished its answer when the run's time was up: the next run asks again",
        about_page=True,
    )


def _request_id(response: httpx.Response) -> str:
    return str(response.headers.get("request-id", ""))
