"""One rule over a small workspace, in process or over HTTP, with the counts at hand."""

import gzip
import json
from datetime import timedelta
from typing import Any

import httpx

from kql import LocalWorkspace
from sandbox.faults import Fault, Faults
from sandbox.ingestion import CollectionRule, Metrics, ingestion_app
from shared.clock import SimulatedClock
from tests.kql.workspace_world import NOON, STREAM, TABLE, workspace

RULE = "dcr-00000000000000000000000000000001"
PATH = f"/dataCollectionRules/{RULE}/streams/{STREAM}"
VERSION = {"api-version": "2023-01-01"}
HEADERS = {"authorization": "Bearer publisher", "content-type": "application/json"}


class World:
    """The endpoint at NOON; `post` sends rows as the wire would carry them."""

    def __init__(self, *, delay: timedelta = timedelta(0)) -> None:
        self.clock = SimulatedClock(NOON)
        self.faults = Faults()
        self.workspace: LocalWorkspace = workspace()
        rule = CollectionRule(RULE, {STREAM: TABLE}, self.workspace.store)
        self.app = ingestion_app(
            {RULE: rule},
            self.clock,
            faults=self.faults,
            tokens={"publisher": True, "stranger": False},
            delay=delay,
        )

    @property
    def metrics(self) -> Metrics:
        metrics: Metrics = self.app.state.metrics
        return metrics

    def fail(self, kind: str, *, times: int = 1, **options: Any) -> None:
        self.faults.add(Fault(kind, times=times, options=options))

    async def post(
        self,
        content: Any,
        *,
        path: str = PATH,
        params: dict[str, str] = VERSION,
        headers: dict[str, str] = HEADERS,
        zipped: bool = False,
    ) -> httpx.Response:
        """`content` is bytes as they are, anything else as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if zipped:
            body, headers = gzip.compress(body), {**headers, "content-encoding": "gzip"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.example") as client:
            return await client.post(path, params=params, headers=headers, content=body)

    def stored(self, columns: str = "Id") -> list[tuple[Any, ...]]:
        return self.workspace.query(f"Sample_CL | project {columns}").rows
