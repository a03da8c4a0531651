"""A client over answers made by hand."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from shared.clock import SimulatedClock
from shared.models import Receipts
from shared.source.client import ComplianceClient, Keys, open_http
from shared.source.rate_limit import RateLimits

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


class ApiWorld:
    """A client whose requests `answer` answers; `asked` keeps them. `answer` is a function or a list to go through."""

    def __init__(self, answer: Handler | Sequence[httpx.Response], *, limits: RateLimits | None = None) -> None:
        self.clock = SimulatedClock(NOON)
        self.asked: list[httpx.Request] = []
        self.receipts = Receipts()
        self._answer = answer
        http = open_http("https://api.example.com", transport=httpx.MockTransport(self._handle))
        self.client = ComplianceClient(
            http, Keys(self._keys), self.clock, version="2023-06-01", user_agent="test/1", limits=limits
        )

    async def _keys(self) -> Sequence[SecretStr]:
        return [SecretStr("sk-ant-api01-test")]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request) if callable(self._answer) else self._answer[len(self.asked) - 1]

    @property
    def soon(self) -> datetime:
        return self.clock.now() + timedelta(minutes=5)

    @property
    def queries(self) -> list[dict[str, Any]]:
        return [dict(request.url.params) for request in self.asked]


async def parts(*raw: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    """A body as the network brings it."""
    for each in raw:
        yield each
    if then is not None:
        raise then
