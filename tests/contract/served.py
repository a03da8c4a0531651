"""The simulated ingestion endpoint, served on this machine, and what it received."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.monitor.ingestion.aio import LogsIngestionClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Fault, Faults
from sandbox.ingestion import CollectionRule, Metrics, ingestion_app
from shared.clock import SimulatedClock
from shared.models import Hour, Outgoing, prefix_of
from shared.sink.log_analytics import LogAnalytics
from tests.kql.workspace_world import NOON, STREAM, TABLE

RULE = "dcr-" + "0b" * 16
TOKENS = {"publisher": True, "stranger": False}
FOR_EVER = 2**33


@dataclass
class Credential:
    """Returns `token`, counts the calls, and raises `failure` if set."""

    token: str = "publisher"
    failure: Exception | None = None
    asked: int = 0

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://monitor.azure.com/.default",)
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return AccessToken(self.token, FOR_EVER)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@dataclass
class Call:
    """One request as received."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recorder:
    """Records the requests to `app`, and holds the first `gathering` requests until all have arrived."""

    app: ASGIApp
    calls: list[Call] = field(default_factory=list)
    gathering: int = 0
    inside: int = 0
    most: int = 0
    _together: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(scope["path"], scope["query_string"].decode(), headers, b"")
        self.calls.append(call)
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.gathering:
            await self._gather()

        async def read() -> Message:
            message = await receive()
            call.body += message.get("body", b"")
            return message

        # uvicorn's own `receive` holds the connection; the endpoint's fault that cuts it looks for it there.
        read.__self__ = getattr(receive, "__self__", None)  # type: ignore[attr-defined]
        try:
            await self.app(scope, read, send)
        finally:
            self.inside -= 1

    async def _gather(self) -> None:
        """Wait for the others, and briefly for an unexpected one."""
        self._together = self._together or asyncio.Event()
        if self.inside >= self.gathering:
            self._together.set()
        await asyncio.wait_for(self._together.wait(), 10)
        for _ in range(50):
            await asyncio.sleep(0.002)


class Endpoint:
    """The endpoint at NOON, served; `rows` is what it stored, repeats included."""

    def __init__(self, url: str) -> None:
        self.clock = SimulatedClock(NOON)
        self.faults = Faults()
        self.rows: list[str] = []
        self.remembered: list[str] = []
        rule = CollectionRule(RULE, {STREAM: TABLE}, self._store)
        self.app = ingestion_app({RULE: rule}, self.clock, faults=self.faults, tokens=TOKENS)
        self.recorder = Recorder(self.app)
        self.credential = Credential()
        self.url = url

    def _store(self, table: str, rows: Sequence[Any], /, *, ingested_at: datetime) -> None:
        self.rows += [row["Id"] for row in rows]

    @property
    def metrics(self) -> Metrics:
        metrics: Metrics = self.app.state.metrics
        return metrics

    def fail(self, kind: str, *, times: int = 1, match: Callable[[Any], bool] = lambda _: True, **options: Any) -> None:
        self.faults.add(Fault(kind, times=times, match=match, options=options))

    @asynccontextmanager
    async def sink(
        self,
        *,
        rule: str = RULE,
        stream: str = STREAM,
        in_flight: int = 4,
        limit_bytes: int = 1_000_000,
        **options: Any,
    ) -> AsyncIterator[LogAnalytics]:
        client = LogsIngestionClient(
            self.url, self.credential, credential_scopes=["https://monitor.azure.com/.default"], **options
        )
        async with client:
            yield LogAnalytics(
                client,
                rule_id=rule,
                stream=stream,
                clock=self.clock,
                in_flight=asyncio.Semaphore(in_flight),
                limit_bytes=limit_bytes,
                enforce_https=False,
            )

    async def remember(self, rows: Sequence[Outgoing]) -> None:
        self.remembered += [row.id for row in rows]

    @property
    def soon(self) -> datetime:
        return self.clock.now() + timedelta(minutes=5)


class Door:
    """One server for all tests; each puts its own endpoint behind it."""

    behind: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.behind is not None
        await self.behind(scope, receive, send)


def row(id: str, size: int = 0) -> Outgoing:
    body = json.dumps({"Id": id, "Name": "é" * (size // 2)}, ensure_ascii=False, separators=(",", ":")).encode()
    return Outgoing(id, prefix_of(id), Hour("2026-11-20T12"), body, {"id": id})


def rows(count: int, size: int = 0) -> list[Outgoing]:
    return [row(f"a{number:03d}", size) for number in range(count)]


def ids(count: int) -> list[str]:
    return [f"a{number:03d}" for number in range(count)]
