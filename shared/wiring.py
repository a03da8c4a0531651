"""Builds the real parts from settings: who talks to whom. Everything is closed when the bridge is."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential
from azure.monitor.ingestion.aio import LogsIngestionClient
from azure.monitor.query.aio import LogsQueryClient
from pydantic import SecretStr

from shared import __version__, live, planned, tables
from shared import replay as replays
from shared.clock import Clock, SystemClock
from shared.connection import Connection, Limits
from shared.errors import ConfigError
from shared.health import HealthLog, Run
from shared.progress.checkpoint import Pace
from shared.progress.ledger import Ledger
from shared.progress.state import Store
from shared.progress.store import FileStore
from shared.settings import LOOPBACK, ConnectionSettings, Settings
from shared.sink.log_analytics import LogAnalytics
from shared.sink.read_back import WorkspaceReader
from shared.sink.set_aside import SetAside
from shared.source.client import ComplianceClient, Keys
from shared.source.feed import ActivityFeed

USER_AGENT = f"claude-sentinel-bridge/{__version__}"
READ_SECONDS = 60.0
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bridge:
    """All connections, ready to run. One that cannot be built is in `broken` with its sentence; the others work."""

    connections: tuple[Connection, ...]
    broken: tuple[tuple[str, ConfigError], ...]

    async def poll(self) -> list[Run]:
        """One live run of every connection, side by side."""
        return list(await asyncio.gather(*(live.poll(connection) for connection in self.connections)))

    async def work_plan(self) -> list[Run]:
        """One turn of every connection's plan."""
        turns = await asyncio.gather(*(planned.work_plan(connection) for connection in self.connections))
        return [run for runs in turns for run in runs]

    async def replay(self) -> list[Run]:
        """Send again what every connection has set aside."""
        return [await replays.replay(connection) for connection in self.connections]

    def connection(self, name: str) -> Connection:
        """The connection called `name`; ConfigError with the names there are, or with what is wrong with it."""
        for connection in self.connections:
            if connection.name == name:
                return connection
        for broken, error in self.broken:
            if broken == name:
                raise error
        names = [connection.name for connection in self.connections] + [broken for broken, _ in self.broken]
        raise ConfigError(f"no connection is called {name}; there are: {', '.join(names)}")


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    credential: AsyncTokenCredential | None = None,
    store: Store | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Bridge]:
    """The bridge for `settings`; arguments replace single parts (the sandbox brings its clock and its credential).

    Raises ConfigError when nothing could run: no endpoint, no rule, no state, or no connection with a usable key.
    """
    clock = clock or SystemClock()
    if settings.ingestion_endpoint is None or settings.dcr_immutable_id is None:
        raise ConfigError("INGESTION_ENDPOINT and DCR_IMMUTABLE_ID must be set: both are outputs of the deployment")
    if store is None:
        if settings.state_dir is None:
            raise ConfigError("STATE_DIR must name a folder for state: without it the bridge would forget what it sent")
        store = FileStore(settings.state_dir)
    async with AsyncExitStack() as stack:
        identity: AsyncTokenCredential = (
            credential if credential is not None else await stack.enter_async_context(DefaultAzureCredential())
        )
        ingestion = await stack.enter_async_context(
            LogsIngestionClient(
                settings.ingestion_endpoint,
                identity,
                credential_scopes=[settings.ingestion_audience],
                connection_timeout=10,
                read_timeout=30,
            )
        )
        workspace = await _workspace(settings, identity, clock, stack)
        sinks = _Sinks(settings, ingestion, clock, asyncio.Semaphore(settings.uploads_in_flight))
        connections: list[Connection] = []
        broken: list[tuple[str, ConfigError]] = []
        for each in settings.connections:
            try:
                settings.key(each)
                http = await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=settings.api_url(each),
                        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                        limits=httpx.Limits(max_connections=settings.plan_readers + 2),
                        transport=transport,
                        follow_redirects=False,  # a redirect would carry the key elsewhere
                    )
                )
            except ConfigError as error:
                broken.append((each.name, error))
                continue
            connections.append(_connection(settings, each, http, sinks, store, clock, workspace))
        if not connections:
            raise broken[0][1]
        yield Bridge(tuple(connections), tuple(broken))


@dataclass(frozen=True, slots=True)
class _Sinks:
    """One ingestion client, one limit of uploads, a stream per table."""

    settings: Settings
    client: LogsIngestionClient
    clock: Clock
    in_flight: asyncio.Semaphore

    def to(self, table: str) -> LogAnalytics:
        endpoint, rule = self.settings.ingestion_endpoint or "", self.settings.dcr_immutable_id or ""
        return LogAnalytics(
            self.client,
            rule_id=rule,
            stream=tables.load(table).stream,
            clock=self.clock,
            in_flight=self.in_flight,
            limit_bytes=self.settings.batch_bytes,
            enforce_https=httpx.URL(endpoint).host not in LOOPBACK,
        )


def _connection(
    settings: Settings,
    each: ConnectionSettings,
    http: httpx.AsyncClient,
    sinks: _Sinks,
    store: Store,
    clock: Clock,
    workspace: WorkspaceReader | None,
) -> Connection:
    folder = f"{each.name}/{destination(settings)}"

    async def fetch() -> Sequence[SecretStr]:
        return (settings.key(each),)

    client = ComplianceClient(http, Keys(fetch), clock, version=settings.anthropic_version, user_agent=USER_AGENT)
    return Connection(
        name=each.name,
        folder=folder,
        feed=ActivityFeed(client, organization_ids=each.organization_ids),
        sink=sinks.to(tables.ACTIVITY),
        set_aside=SetAside(store, folder, clock),
        ledger=Ledger(store, folder),
        store=store,
        health=HealthLog(sinks.to(tables.HEALTH), store, connection=each.name, folder=folder, clock=clock),
        clock=clock,
        new_run_id=lambda: str(uuid.uuid4()),
        pace=Pace(
            settle=settings.settle,
            overlap=timedelta(seconds=settings.overlap_seconds),
            wide_overlap=timedelta(seconds=settings.wide_overlap_seconds),
            page_limit=settings.page_limit,
        ),
        limits=Limits(
            live=timedelta(seconds=settings.live_seconds),
            planned=timedelta(seconds=settings.plan_seconds),
            readers=settings.plan_readers,
            reserve=settings.request_reserve,
        ),
        content_names=settings.content_names,
        workspace=workspace,
    )


async def _workspace(
    settings: Settings, credential: AsyncTokenCredential, clock: Clock, stack: AsyncExitStack
) -> WorkspaceReader | None:
    if settings.workspace_id is None:
        return None
    client = await stack.enter_async_context(LogsQueryClient(credential, endpoint=settings.query_endpoint))
    enforce_https = httpx.URL(settings.query_endpoint).host not in LOOPBACK
    return WorkspaceReader(client, settings.workspace_id, clock, enforce_https=enforce_https)


def destination(settings: Settings) -> str:
    """The part of state names that tells destinations apart: a second workspace is filled from the start."""
    return re.sub(r"[^a-z0-9-]", "-", settings.dcr_immutable_id or "none")
