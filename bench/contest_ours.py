"""The bridge as a contestant of the comparison: the real code, its state in files."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from azure.core.credentials import AccessToken

from bench.arena import Arena, WoundClock
from bench.contest import Crash, Work, ticks
from bench.official import RULE_ID, NoCredential
from bench.weather import END
from shared.runs import backfill, live
from shared.settings import load
from shared.state.file_store import FileStore
from shared.wiring import build


class MortalStore(FileStore):
    """Dies, when it is due, where an accepted upload is about to be noted."""

    def __init__(self, folder: Path, work: Work, clock: WoundClock) -> None:
        super().__init__(folder)
        self._work = work
        self._clock = clock

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        if any(data for _, data in blocks):
            self._work.dies(self._clock)
        await super().append_each(blocks)


def play(place: Arena, clock: WoundClock, folder: Path, work: Work) -> None:
    """The bridge's live walk and plan, once a minute each, its state in files."""
    with asyncio.Runner() as runner:
        while clock.now() < END:
            try:
                runner.run(_bridge(place, clock, folder, work))
            except Crash:
                continue


async def _bridge(place: Arena, clock: WoundClock, folder: Path, work: Work) -> None:
    """One life of the process."""
    settings = load(
        connections=[{"name": "bench"}],
        compliance_api_url=place.url,
        compliance_access_key=place.key,
        ingestion_endpoint=place.url,
        dcr_immutable_id=RULE_ID,
    )
    store = MortalStore(folder, work, clock)
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
