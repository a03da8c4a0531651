"""The sandbox's parts behind one port: a Compliance API, an ingestion endpoint, a workspace, a managed identity."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from kql import LocalWorkspace
from kql.parsers import NO_WATCHLISTS
from sandbox import identity
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.compliance.server import Served
from sandbox.faults import Faults
from sandbox.identity import identity_app
from sandbox.ingestion import CollectionRule, ingestion_app
from sandbox.query_api import query_app
from shared import tables
from shared.clock import Clock

RULE_ID = "dcr-" + "5a" * 16
WORKSPACE_ID = "5a5a5a5a-0000-4000-8000-00000000c1a0"
KEY_ID = "apikey_01SandboxBridge000000000"
NEVER_EXPIRES = 2**33  # seconds since 1970


@dataclass(frozen=True, slots=True)
class SandboxCredential:
    """A token for one world's endpoints; it grants no access in Azure."""

    token: str

    async def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        return AccessToken(self.token, NEVER_EXPIRES)

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
    """A running sandbox: `url` serves all three; `api` and `ingestion` are the apps, for their state and metrics.

    Key and token are random: a port of this machine can be reached by every user of it.
    """

    url: str
    clock: Clock
    feed: SimulatedFeed
    workspace: LocalWorkspace
    api: Starlette
    ingestion: Starlette
    api_faults: Faults
    sink_faults: Faults
    key: str
    token: str

    @property
    def credential(self) -> SandboxCredential:
        return SandboxCredential(self.token)

    def sink_settings(self) -> dict[str, Any]:
        """Settings that make the bridge deliver here."""
        return {
            "ingestion_endpoint": self.url,
            "dcr_immutable_id": RULE_ID,
            "workspace_id": WORKSPACE_ID,
            "query_endpoint": self.url,
        }

    def environment(self) -> dict[str, str]:
        """The same as environment variables, with a simulated managed identity."""
        return {
            "COMPLIANCE_API_URL": self.url,
            "COMPLIANCE_ACCESS_KEY": self.key,
            "INGESTION_ENDPOINT": self.url,
            "DCR_IMMUTABLE_ID": RULE_ID,
            "WORKSPACE_ID": WORKSPACE_ID,
            "QUERY_ENDPOINT": self.url,
            "IDENTITY_ENDPOINT": f"{self.url}{identity.PATH}",
            "IDENTITY_HEADER": self.key,
        }

    def settings(self) -> dict[str, Any]:
        """Settings that make the bridge read and deliver here."""
        return {
            "connections": [{"name": "sandbox"}],
            "compliance_api_url": self.url,
            "compliance_access_key": self.key,
            **self.sink_settings(),
        }


@contextmanager
def open_world(
    clock: Clock,
    *,
    feed: SimulatedFeed | None = None,
    workspace: Path | None = None,
    port: int = 0,
    own_rows: bool = True,
    given: Sequence[str] = (NO_WATCHLISTS,),
) -> Iterator[World]:
    """Serve a world on 127.0.0.1 until the block ends; `workspace` None keeps it in memory.

    `given` are workspace functions in addition to those of sentinel/parsers/.
    """
    feed = feed if feed is not None else SimulatedFeed()
    api_faults, sink_faults = Faults(), Faults()
    secret, token = f"sk-ant-api01-{secrets.token_urlsafe(24)}", secrets.token_urlsafe(24)
    key = ApiKey(secret=secret, key_id=KEY_ID, kind="compliance", scopes=frozenset({READ_ACTIVITIES}))
    every = [tables.load(name) for name in tables.table_names()]
    store = LocalWorkspace.create(workspace, clock, every, given=given)
    streams = {tables.load(name).stream: tables.load(name) for name in tables.table_names()}
    tokens = {token: True}
    try:
        api = compliance_app(feed, [key], clock, faults=api_faults, own_rows=own_rows)
        rules = {RULE_ID: CollectionRule(RULE_ID, streams, store.store)}
        ingestion = ingestion_app(rules, clock, faults=sink_faults, tokens=tokens)
        query = query_app({WORKSPACE_ID: store}, tokens)
        managed = identity_app(token, secret, expires_on=NEVER_EXPIRES)
        with Served(_one_port(api, ingestion, query, managed), port=port) as served:
            yield World(served.url, clock, feed, store, api, ingestion, api_faults, sink_faults, secret, token)
    finally:
        store.close()


def _one_port(api: ASGIApp, ingestion: ASGIApp, query: ASGIApp, identity: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path.startswith("/dataCollectionRules/"):
            await ingestion(scope, receive, send)
        elif path.startswith("/v1/workspaces/"):
            await query(scope, receive, send)
        elif path.startswith("/identity/"):
            await identity(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app
