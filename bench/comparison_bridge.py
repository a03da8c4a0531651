"""The bridge as a participant of the comparison: the production code, with state in files."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from azure.core.credentials import AccessToken

from bench.comparison import Crash, Work, ticks
from bench.comparison_client import ComparisonServers, ServerClock
from bench.official import RULE_ID, NoCredential
from bench.scenarios import END
from shared.runs import backfill, live
from shared.settings import load
from shared.state.file_store import FileStore
from shared.wiring import build


class CrashingStore(FileStore):
    """Crashes, when scheduled, before an accepted upload is recorded."""

    def __init__(self, folder: Path, work: Work, clock: ServerClock) -> None:
        super().__init__(folder)
        self._work = work
        self._clock = clock

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        if any(data for _, data in blocks):
            self._work.crash_if_due(self._clock)
        await super().append_each(blocks)


def run(place: ComparisonServers, clock: ServerClock, folder: Path, work: Work) -> None:
    """Run the bridge's live reading and plan once a minute, with state in files."""
    with asyncio.Runner() as runner:
        while clock.now() < END:
            try:
                runner.run(_bridge(place, clock, folder, work))
            except Crash:
                continue


async def _bridge(place: ComparisonServers, clock: ServerClock, folder: Path, work: Work) -> None:
    """Run one process until the end or a crash."""
    settings = load(
        connections=[{"name": "bench"}],
        compliance_api_url=place.url,
        compliance_access_key=place.key,
        ingestion_endpoint=place.url,
        dcr_immutable_id=RULE_ID,
    )
    store = CrashingStore(folder, work, clock)
    async with build(settings, clock=clock, credential=_AsyncNoCredential(), store=store) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        for _ in ticks(clock):
            started = time.perf_counter()
            runs = [await live.poll(connection), *await backfill.work_plan(connection)]
            work.tick(sum(run.counts.sent for run in runs), time.perf_counter() - started)
            work.failed_ticks += any(run.error is not None for run in runs)


class _AsyncNoCredential:
    """A token without a request."""

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return NoCredential().get_token(*scopes)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> "_AsyncNoCredential":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        return None
