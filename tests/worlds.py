"""Shared test worlds: the simulated API, read by the real client and delivered to stateful fakes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from sandbox.activity import raw_entry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.faults import Faults
from shared.runs import live
from shared.runs.connection import Connection
from shared.runs.health_rows import Run
from shared.source.client import ComplianceClient, Keys
from shared.streams.activity.endpoint import ActivityFeed
from tests.fakes import NOON, FakeWorld

API_KEY = ApiKey("sk-ant-api01-unit", "apikey_01Unit", "compliance", frozenset({READ_ACTIVITIES}))
MINUTE = timedelta(minutes=1)


class ApiWorld(FakeWorld):
    """A FakeWorld whose feed is the simulated API read by the real client."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.entries = SimulatedFeed()
        self.api_faults = Faults()
        self.api = compliance_app(self.entries, [API_KEY], self.clock, faults=self.api_faults, own_rows=False)
        self.key = API_KEY.secret
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.api), base_url="https://api.example.com")
        client = ComplianceClient(http, Keys(self._keys), self.clock, version="2023-06-01", user_agent="test/1")
        self.real_feed = ActivityFeed(client)

    async def _keys(self) -> Sequence[SecretStr]:
        return (SecretStr(self.key),)

    def restart(self) -> Connection:
        return replace(super().restart(), feed=self.real_feed)

    def add(self, *bodies: bytes | dict[str, Any], at: datetime = NOON + timedelta(seconds=10)) -> None:
        """Add raw bodies to the feed, all at one time, in this order."""
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.entries.add(raw_entry(raw, at=at, id=f"entry_{len(self.entries):06d}"))

    async def begun(self) -> "ApiWorld":
        await live.init(self.restart())
        return self

    async def poll(self, after: timedelta = 2 * MINUTE) -> Run:
        self.clock.advance(after)
        return await live.poll(self.restart())

    @property
    def health_row(self) -> dict[str, Any]:
        """The newest health row."""
        return self.health.rows[-1]

    def dead(self) -> list[dict[str, Any]]:
        """Every dead letter, in order."""
        names = sorted(
            name for name in self.store.files if name.startswith("dead-letters/") and name.endswith(".jsonl")
        )
        return [json.loads(line) for name in names for line in self.store.files[name].splitlines()]


def activity(number: int, **fields: Any) -> dict[str, Any]:
    """A well-formed activity of the tenth second after noon."""
    return {
        "id": f"activity_{number:04d}",
        "type": "user_logged_out",
        "created_at": "2026-10-31T12:00:10Z",
        "organization_id": None,
        "organization_uuid": None,
        "actor": {"type": "user_actor", "user_id": "user_01"},
        **fields,
    }
