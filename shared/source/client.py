"""One authenticated GET against the Compliance API: retries, back-off, and errors by the name of who must act."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import msgspec
from pydantic import SecretStr

from shared.clock import Clock
from shared.errors import BadRequest, BudgetSpent, SourceBusy, SourceIncoherent, SourceRefused
from shared.logs import event, logger, safe
from shared.models import Receipts
from shared.retry import http_date, retry_after_seconds, retrying
from shared.source.rate_limit import Budget

log = logger(__name__)

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200: the raw body, and what its headers told."""

    body: bytes
    request_id: str
    server_time: datetime | None


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


class ComplianceClient:
    """GETs with the connection's key; shared by all runs of a connection, which keep their own `Receipts`.

    Retry-After is a floor, `x-should-retry: false` is obeyed, and nothing waits beyond the run's deadline.
    Facts: docs/architecture.md, "What the API promises".
    """

    def __init__(
        self, http: httpx.AsyncClient, keys: Keys, clock: Clock, *, version: str, user_agent: str, seed: int = 0
    ) -> None:
        self._http = http
        self._keys = keys
        self._clock = clock
        self._headers = {"anthropic-version": version, "user-agent": user_agent}
        self._jitter = random.Random(seed)
        self._key_turn = asyncio.Lock()
        self.budget = Budget()

    async def begin_run(self) -> None:
        """Read the key afresh."""
        await self._keys.refresh()

    async def get(
        self,
        path: str,
        parameters: Sequence[tuple[str, str]],
        receipts: Receipts,
        *,
        deadline: datetime,
        reserve: int | None = None,
        take: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """The answer to one GET.

        `reserve`: a patient reader's share; waits for the next minute, or raises BudgetSpent when the run ends first.
        `take` judges the body inside the retry loop, so that a cut page is fetched again.
        Raises BadRequest (400), SourceRefused (401, 403, 404), SourceBusy, SourceIncoherent (final 500s).
        """
        if reserve is not None:
            await self._leave_some(reserve, deadline)

        def count() -> None:
            receipts.retries += 1

        async for attempt in retrying(
            self._clock,
            SourceBusy,
            attempts=ATTEMPTS,
            deadline=deadline,
            jitter=self._jitter,
            what=path,
            count=count,
        ):
            with attempt:
                answer = await self._once(path, parameters, receipts)
                if take is not None:
                    take(answer)
        return answer

    async def _leave_some(self, reserve: int, deadline: datetime) -> None:
        pause = self.budget.wait_for(reserve, self._clock.now())
        while pause > timedelta(0):
            if self._clock.now() + pause >= deadline:
                raise BudgetSpent(f"fewer than {reserve} requests are left this minute; the next run goes on")
            event(log, "budget.waited", seconds=round(pause.total_seconds(), 1), reserve=reserve)
            await self._clock.sleep(pause.total_seconds())
            pause = self.budget.wait_for(reserve, self._clock.now())

    async def _once(self, path: str, parameters: Sequence[tuple[str, str]], receipts: Receipts) -> Answer:
        key = await self._keys.current()
        self.budget.spend()
        receipts.requests += 1
        began = False
        try:
            headers = {**self._headers, "x-api-key": key}
            async with self._http.stream("GET", path, params=list(parameters), headers=headers) as response:
                began = True
                # Not `aread`: a response lies in a circle of references and would keep its body until the collector
                # comes round. With pages of 5 MB that was 40 MB at the peak.
                body = b"".join([part async for part in response.aiter_bytes()])
        except httpx.HTTPError as broken:
            # An API that hangs says nothing of this window; one that breaks off in the middle of a page may.
            what = "broke off its answer" if began else "did not answer"
            raise SourceBusy(f"the Compliance API {what} ({type(broken).__name__})", about_page=began) from broken
        self.budget.hear(response.headers, self._clock.now())
        request_id = response.headers.get("request-id", "")
        if request_id:
            receipts.request_ids.append(request_id)
        if response.status_code == 200:
            return Answer(body, request_id, http_date(response.headers.get("date")))
        if response.status_code == 401 and await self._previous_key(key):
            raise SourceBusy("the key was refused; trying its previous version", after=0.0)
        raise self._refusal(response, body)

    async def _previous_key(self, refused: str) -> bool:
        """Move to the previous key once, however many readers were refused with the current one."""
        async with self._key_turn:
            if await self._keys.current() != refused:
                return True
            return self._keys.next()

    def _refusal(self, response: httpx.Response, body: bytes) -> Exception:
        status, said = response.status_code, _message(body)
        request_id = response.headers.get("request-id", "-")
        event(log, "request.refused", level=logging.WARNING, status=status, request_id=request_id)
        if status == 400:
            return BadRequest(f"the Compliance API refuses the request (400: {said})")
        if status == 401:
            return SourceRefused("the key is invalid, deactivated or expired (401): make a new one and store it")
        if status == 403:
            return SourceRefused(f"the key lacks a scope or may not see this (403: {said})")
        if status == 404:
            return SourceRefused(
                "the Compliance API answers 404: no key was sent, it is of the wrong kind, or the address is wrong; "
                "check COMPLIANCE_API_URL and that the key starts with sk-ant-api01- or sk-ant-admin01-"
            )
        if response.headers.get("x-should-retry") == "false":
            return SourceIncoherent(
                f"the Compliance API will never answer this request ({status}, x-should-retry: false)"
            )
        if status == 429 or status >= 500 or status == 408:
            return SourceBusy(
                f"the Compliance API is busy ({status})",
                after=retry_after_seconds(response.headers.get("retry-after"), self._clock.now()),
            )
        return SourceRefused(f"the Compliance API answers {status}: {said}")


def _message(body: bytes) -> str:
    """The API's own words, masked and short; never the rest of the body."""
    try:
        return safe(str(msgspec.json.decode(body)["error"]["message"]))[:200]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "no readable message"
