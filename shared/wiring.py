"""Builds the real parts from settings: who talks to whom. Everything is closed when the bridge is."""

import asyncio
import gc
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential
from azure.keyvault.secrets.aio import SecretClient
from azure.monitor.ingestion.aio import LogsIngestionClient
from azure.monitor.query.aio import LogsQueryClient
from pydantic import SecretStr

from shared import __version__, tables
from shared.clock import Clock, SystemClock
from shared.errors import ConfigError, InvalidCommand
from shared.rows.minimize import Minimizer, Mode, Shaping, newer_columns, parse_modes
from shared.runs.connection import Connection, Limits, SnapshotConnection
from shared.runs.health_rows import HealthRows
from shared.runs.last_turns import PLAN, POLL
from shared.runs.run import Run
from shared.runs.turns import REPLAY, runs_of, take_turns
from shared.settings import LOOPBACK, ConnectionSettings, Settings
from shared.sink.log_analytics import LogAnalytics
from shared.source.client import ComplianceClient, Keys, open_http
from shared.source.key_vault import open_vault, vault_keys, vault_secret
from shared.source.paging import ApiLists
from shared.source.rate_limit import RateLimits
from shared.state.blob_store import BlobStore, open_container
from shared.state.checkpoint import Pace
from shared.state.dead_letters import DeadLetters
from shared.state.file_store import FileStore
from shared.state.ledger import Ledger
from shared.state.store import Store
from shared.streams import Stream, StreamKind, streams
from shared.streams.activity import catalogue
from shared.streams.activity.endpoint import ActivityFeed
from shared.streams.activity.rows import OwnRequests
from shared.streams.activity.stream import STREAM as ACTIVITY_STREAM
from shared.workspace.client import LogAnalyticsWorkspace

USER_AGENT = f"claude-sentinel-bridge/{__version__}"
IDENTITY_SECRET = "identity-key"
# A page is tens of thousands of small objects without a cycle among them: looking for cycles after every 700, as the
# interpreter does by itself, costs 3 % of a page and finds nothing.
COLLECT_AFTER = (20_000, 10, 20)


@dataclass(frozen=True, slots=True)
class Bridge:
    """All connections, ready to run. One that cannot be built is in `broken` with its sentence; the others work."""

    connections: tuple[Connection, ...]
    broken: tuple[tuple[str, ConfigError], ...]

    async def poll(self) -> list[Run]:
        """One live run of every connection, side by side."""
        return runs_of(await take_turns(self.connections, POLL))

    async def work_plan(self) -> list[Run]:
        """One turn of every connection's plan, and its snapshots that are due."""
        return runs_of(await take_turns(self.connections, PLAN))

    async def replay(self) -> list[Run]:
        """Send every connection's dead letters again."""
        return runs_of(await take_turns(self.connections, REPLAY))

    def chosen(self, name: str | None) -> tuple[Connection, ...]:
        """The connection called `name`, or all that work. Raises as `connection` does."""
        return self.connections if name is None else (self.connection(name),)

    def connection(self, name: str) -> Connection:
        """The connection called `name`. InvalidCommand with the names there are, or the ConfigError that broke it."""
        for connection in self.connections:
            if connection.name == name:
                return connection
        for broken, error in self.broken:
            if broken == name:
                raise error
        names = [connection.name for connection in self.connections] + [broken for broken, _ in self.broken]
        raise InvalidCommand(f"no connection is called {name}; there are: {', '.join(names)}")


def identity() -> DefaultAzureCredential:
    """Who this process is in Azure: the app's managed identity, or the operator's own sign-in. The caller closes it."""
    return DefaultAzureCredential()


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
    if settings.ingestion_endpoint is None or settings.dcr_immutable_id is None:
        raise ConfigError("INGESTION_ENDPOINT and DCR_IMMUTABLE_ID must be set: both are outputs of the deployment")
    gc.set_threshold(*COLLECT_AFTER)
    async with AsyncExitStack() as stack:
        known: AsyncTokenCredential = (
            credential if credential is not None else await stack.enter_async_context(identity())
        )
        workshop = _Workshop(settings, clock or SystemClock(), known, stack, transport)
        parts = await workshop.shared_parts(store)
        connections: list[Connection] = []
        broken: list[tuple[str, ConfigError]] = []
        for each in settings.connections:
            try:
                connections.append(await workshop.connection(each, parts))
            except ConfigError as error:
                broken.append((each.name, error))
        if not connections:
            raise broken[0][1]
        yield Bridge(tuple(connections), tuple(broken))


@dataclass(frozen=True, slots=True)
class _Parts:
    """What all connections share."""

    store: Store
    vault: SecretClient | None
    workspace: LogAnalyticsWorkspace | None
    ingestion: LogsIngestionClient
    in_flight: asyncio.Semaphore
    shaping: Shaping
    limits: dict[tuple[str, str], RateLimits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Workshop:
    """Opens clients and puts connections together; what it opens is closed with `stack`."""

    settings: Settings
    clock: Clock
    identity: AsyncTokenCredential
    stack: AsyncExitStack
    transport: httpx.AsyncBaseTransport | None

    async def shared_parts(self, store: Store | None) -> _Parts:
        settings, enter = self.settings, self.stack.enter_async_context
        vault = await enter(open_vault(settings.key_vault_url, self.identity)) if settings.key_vault_url else None
        ingestion = LogsIngestionClient(
            settings.ingestion_endpoint or "",
            self.identity,
            credential_scopes=[settings.ingestion_audience],
            connection_timeout=10,
            read_timeout=30,
        )
        return _Parts(
            store=store or await self._store(),
            vault=vault,
            workspace=await self._workspace(),
            ingestion=await enter(ingestion),
            in_flight=asyncio.Semaphore(settings.uploads_in_flight),
            shaping=await self._shaping(vault),
        )

    async def connection(self, each: ConnectionSettings, parts: _Parts) -> Connection:
        settings, clock, store = self.settings, self.clock, parts.store
        url, key = settings.api_url(each), each.secret if parts.vault is not None else each.key_setting
        http = open_http(url, connections=settings.plan_readers + 2, transport=self.transport)
        client = ComplianceClient(
            await self.stack.enter_async_context(http),
            keys_of(settings, each, parts.vault, clock),
            clock,
            version=settings.anthropic_version,
            user_agent=USER_AGENT,
            # Connections with the same key belong to the same parent organization.
            limits=parts.limits.setdefault((url, key), RateLimits()),
        )
        own_requests = OwnRequests()
        common = partial(self._common, each, parts, own_requests)
        feed = common(ACTIVITY_STREAM)
        return Connection(
            **feed,
            snapshots=tuple(
                SnapshotConnection(
                    **common(stream),
                    declared=stream,
                    lists=ApiLists(client, stream.families[0].endpoint),
                    columns=frozenset(tables.load(stream.table).names),
                    newer=newer_columns(stream.table, settings.deployed_table_versions.get(stream.table)),
                )
                for stream in streams()
                if stream.kind is StreamKind.SNAPSHOT
            ),
            feed=ActivityFeed(client, organization_ids=each.organization_ids),
            dead_letters=DeadLetters(store, feed["prefix"], clock),
            ledger=Ledger(store, feed["prefix"]),
            pace=pace_of(settings),
            content_names=settings.content_names,
            shaping=parts.shaping,
        )

    def _common(self, each: ConnectionSettings, parts: _Parts, own: OwnRequests, stream: Stream) -> dict[str, Any]:
        """What every stream of a connection has, whatever its kind."""
        prefix = f"{each.name}/{destination(self.settings)}/{stream.name}"
        return {
            "name": each.name,
            "stream": stream.name,
            "prefix": prefix,
            "sink": self._sink(stream.table, parts),
            "store": parts.store,
            "health": HealthRows(
                self._sink(tables.HEALTH, parts),
                parts.store,
                connection=each.name,
                stream=stream.name,
                prefix=prefix,
                clock=self.clock,
                deployed_version=self.settings.deployed_table_versions.get(tables.HEALTH),
            ),
            "clock": self.clock,
            "new_run_id": lambda: str(uuid.uuid4()),
            "limits": limits_of(self.settings),
            "workspace": parts.workspace,
            "own_requests": own,
        }

    def _sink(self, table: str, parts: _Parts) -> LogAnalytics:
        return LogAnalytics(
            parts.ingestion,
            rule_id=self.settings.dcr_immutable_id or "",
            stream=tables.load(table).stream,
            clock=self.clock,
            in_flight=parts.in_flight,
            enforce_https=_is_remote(self.settings.ingestion_endpoint or ""),
        )

    async def _store(self) -> Store:
        if self.settings.state_container_url is not None:
            container = open_container(self.settings.state_container_url, self.identity)
            # Leases end in real time, whatever clock the bridge runs on.
            return BlobStore(await self.stack.enter_async_context(container), SystemClock())
        if self.settings.state_dir is not None:
            return FileStore(self.settings.state_dir)
        raise ConfigError(
            "STATE_CONTAINER_URL (in Azure) or STATE_DIR (elsewhere) must be set: without state the bridge would "
            "forget what it sent"
        )

    async def _workspace(self) -> LogAnalyticsWorkspace | None:
        if self.settings.workspace_id is None:
            return None
        url = self.settings.query_endpoint
        client = await self.stack.enter_async_context(LogsQueryClient(self.identity, endpoint=url))
        return LogAnalyticsWorkspace(client, self.settings.workspace_id, self.clock, enforce_https=_is_remote(url))

    async def _shaping(self, vault: SecretClient | None) -> Shaping:
        settings = self.settings
        modes = modes_of(settings)
        key = settings.identity_key.get_secret_value().encode() if settings.identity_key else b""
        if not key and vault is not None and "pseudonymous" in modes.values():
            key = await vault_secret(vault, IDENTITY_SECRET)
        return Shaping(Minimizer(modes, key), settings.deployed_table_versions.get(tables.ACTIVITY))


@asynccontextmanager
async def open_client(
    settings: Settings, each: ConnectionSettings, clock: Clock, mark: str
) -> AsyncIterator[ComplianceClient]:
    """The API for one command, as `claude-sentinel-bridge/VERSION MARK`. ConfigError without a key."""
    async with AsyncExitStack() as stack:
        vault = None
        if settings.key_vault_url is not None:
            credential = await stack.enter_async_context(identity())
            vault = await stack.enter_async_context(open_vault(settings.key_vault_url, credential))
        yield ComplianceClient(
            await stack.enter_async_context(open_http(settings.api_url(each))),
            keys_of(settings, each, vault, clock),
            clock,
            version=settings.anthropic_version,
            user_agent=f"{USER_AGENT} {mark}",
        )


def keys_of(settings: Settings, each: ConnectionSettings, vault: SecretClient | None, clock: Clock) -> Keys:
    """The connection's key, from the vault or the environment. ConfigError when the environment has none."""
    if vault is not None:
        return Keys(partial(vault_keys, vault, each.secret, clock))
    settings.key(each)  # report a missing key now; every run reads it again

    async def fetch() -> Sequence[SecretStr]:
        return (settings.key(each),)

    return Keys(fetch)


def pace_of(settings: Settings) -> Pace:
    """How live reading cuts its windows."""
    return Pace(
        settle=settings.settle,
        overlap=timedelta(seconds=settings.overlap_seconds),
        wide_overlap=timedelta(seconds=settings.wide_overlap_seconds),
        page_limit=settings.page_limit,
    )


def modes_of(settings: Settings) -> dict[str, Mode]:
    """What MINIMIZE and IDENTITY say of each category. Raises ConfigError for what nobody knows."""
    categories = frozenset(entry.category for entry in catalogue.load().types.values()) | {"unknown"}
    return parse_modes(settings.minimize, identity=settings.identity, categories=categories)


def limits_of(settings: Settings) -> Limits:
    """A run's shares of time, requests and memory."""
    return Limits(
        live=timedelta(seconds=settings.live_seconds),
        planned=timedelta(seconds=settings.plan_seconds),
        plan_readers=settings.plan_readers,
        request_reserve=settings.request_reserve,
        prove_repair_rows=settings.prove_repair_rows,
    )


def _is_remote(url: str) -> bool:
    """Plain http is for this machine's own addresses (a sandbox); settings refuse it elsewhere."""
    return httpx.URL(url).host not in LOOPBACK


def destination(settings: Settings) -> str:
    """The part of state names that separates destinations: a second workspace is filled from the start."""
    return re.sub(r"[^a-z0-9-]", "-", settings.dcr_immutable_id or "none")
