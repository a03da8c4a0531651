"""The sandbox's parts behind one port: a simulated Compliance API, an ingestion endpoint, and a workspace that answers KQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import Feed
from sandbox.compliance.keys import READ_ACTIVITIES, Key
from sandbox.compliance.server import Served
from sandbox.faults import Faults
from sandbox.ingestion import Rule, ingestion_app
from sandbox.workspace import Workspace
from sandbox.workspace.rest import query_app
from shared import tables
from shared.clock import Clock

RULE_ID = "dcr-" + "5a" * 16
WORKSPACE_ID = "5a5a5a5a-0000-4000-8000-00000000c1a0"
BRIDGE_KEY = Key(
    secret="sk-ant-api01-sandbox-bridge",
    key_id="apikey_01SandboxBridge000000000",
    kind="compliance",
    scopes=frozenset({READ_ACTIVITIES}),
)


class SandboxCredential:
    """A token for the sandbox's own endpoints; it would open nothing in Azure."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("sandbox", int(time.monotonic()) + 2**31)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        return None


@dataclass(frozen=True, slots=True)
class World:
    """A running sandbox: `url` serves all three; `api` and `ingestion` are the apps, for their state and metrics."""

    url: str
    clock: Clock
    feed: Feed
    workspace: Workspace
    api: Starlette
    ingestion: Starlette
    api_faults: Faults
    sink_faults: Faults

    def environment(self) -> dict[str, Any]:
        """Settings that point the bridge here."""
        return {
            "compliance_api_url": self.url,
            "compliance_access_key": BRIDGE_KEY.secret,
            "ingestion_endpoint": self.url,
            "dcr_immutable_id": RULE_ID,
            "workspace_id": WORKSPACE_ID,
            "query_endpoint": self.url,
        }


@contextmanager
def open_world(
    clock: Clock, *, feed: Feed | None = None, workspace: Path | None = None, port: int = 0, own_rows: bool = True
) -> Iterator[World]:
    """Serve a world on 127.0.0.1 until the block ends; `workspace` None keeps it in memory."""
    feed = feed if feed is not None else Feed()
    api_faults, sink_faults = Faults(), Faults()
    store = Workspace.create(workspace, clock, [tables.load(name) for name in tables.table_names()])
    streams = {tables.load(name).stream: tables.load(name) for name in tables.table_names()}
    try:
        api = compliance_app(feed, [BRIDGE_KEY], clock, faults=api_faults, own_rows=own_rows)
        ingestion = ingestion_app({RULE_ID: Rule(RULE_ID, streams, store.store)}, clock, faults=sink_faults)
        query = query_app({WORKSPACE_ID: store})
        with Served(_one_port(api, ingestion, query), port=port) as served:
            yield World(served.url, clock, feed, store, api, ingestion, api_faults, sink_faults)
    finally:
        store.close()


def _one_port(api: ASGIApp, ingestion: ASGIApp, query: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path.startswith("/dataCollectionRules/"):
            await ingestion(scope, receive, send)
        elif path.startswith("/v1/workspaces/"):
            await query(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app
