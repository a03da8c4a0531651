"""From the bytes of a page to the bytes of its uploads, on one core: the bridge's own work, without a network."""

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bench.official import RULE_ID, STREAM, SwallowingTransport, official_client
from bench.reading import Reading, on_one_core
from bench.sample import PAGE_SIZE, START, bodies
from shared import __version__
from shared.clock import SimulatedClock
from shared.models import Counts, Cursor, Outgoing, Page
from shared.rows.minimize import Shaping
from shared.runs.pipeline import Pipeline
from shared.sink.batches import Sent, batches
from shared.state.dead_letters import DeadLetters
from shared.state.file_store import FileStore
from shared.state.ledger import Ledger
from shared.streams.activity.endpoint import read_page
from shared.streams.activity.fold import RowContext
from shared.streams.activity.rows import ActivityRows, identified
from shared.wiring import COLLECT_AFTER

NOW = START + timedelta(days=30)


class PackingSink:
    """Packs and compresses as `LogAnalytics` does, and accepts everything."""

    def __init__(self) -> None:
        self.wire_bytes = 0

    async def send(
        self, rows: Sequence[Outgoing], remember: Callable[[Sequence[Outgoing]], Awaitable[None]], *, deadline: datetime
    ) -> Sent:
        sent = Sent()
        for batch in batches(rows):
            self.wire_bytes += len(batch.compressed())
            await remember(batch.rows)
            sent.rows += len(batch.rows)
            sent.batches += 1
            sent.bytes += len(batch.body)
        return sent


def ours(count: int) -> Reading:
    """Activities a CPU second; the first page is not counted (the plans of its types are compiled then)."""
    on_one_core()
    gc.set_threshold(*COLLECT_AFTER)  # as in the bridge's process
    pages = _pages(count)
    with tempfile.TemporaryDirectory() as folder:
        sink = PackingSink()
        pipeline = pipeline_of(Path(folder), sink)
        with asyncio.Runner() as runner:
            runner.run(_carry(pipeline, pages[:1]))
            before = pipeline.counts.sent
            sink.wire_bytes = 0
            wall, cpu = time.perf_counter(), time.process_time()
            runner.run(_carry(pipeline, pages[1:]))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = pipeline.counts.sent - before
    if done != sum(map(_size, pages[1:])):
        raise RuntimeError(f"{done} activities were processed, not all of them")
    return Reading(
        done / cpu,
        {
            "per_wall_second": done / wall,
            "row_bytes": pipeline.counts.body_bytes / pipeline.counts.sent,
            "wire_bytes_per_row": sink.wire_bytes / done,
        },
    )


def baseline(count: int) -> Reading:
    """Activities a CPU second of json.loads and `LogsIngestionClient.upload(list)`: no ledger and no columns."""
    on_one_core()
    pages = _pages(count)
    transport = SwallowingTransport()
    with official_client(transport) as client:
        client.upload(RULE_ID, STREAM, json.loads(pages[0])["data"])
        transport.wire_bytes = 0
        wall, cpu = time.perf_counter(), time.process_time()
        done = 0
        for body in pages[1:]:
            activities = json.loads(body)["data"]
            client.upload(RULE_ID, STREAM, activities)
            done += len(activities)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Reading(done / cpu, {"per_wall_second": done / wall, "wire_bytes_per_row": transport.wire_bytes / done})


def pipeline_of(folder: Path, sink: PackingSink) -> Pipeline:
    """The production pipeline for a page, with state in files and `sink` at its end."""
    clock = SimulatedClock(NOW)
    store = FileStore(folder)
    context = RowContext("bench", "0a1b2c3d-0000-4000-8000-00000000be4c", __version__, "backfill", True, NOW)
    counts = Counts()
    return Pipeline(
        known=Ledger(store, "bench"),
        sink=sink,
        dead_letters=DeadLetters(store, "bench", clock),
        identify=identified,
        to_row=ActivityRows(context, Shaping(), counts).row,
        counts=counts,
        run_id=context.run_id,
        deadline=NOW + timedelta(hours=1),
    )


async def _carry(pipeline: Pipeline, pages: list[bytes]) -> None:
    for body in pages:
        await pipeline.handle(page_of(body))


def page_of(body: bytes) -> Page:
    """A page as the feed's reader parses it from a response body."""
    content = read_page(body)
    return Page(
        items=content.data,
        has_more=content.has_more,
        last_id=Cursor(content.last_id) if content.last_id is not None else None,
        request_id="req_bench",
        server_time=None,
        bytes=len(body),
        escaped=content.escaped,
    )


def _pages(count: int) -> list[bytes]:
    """Whole pages with `count` activities, and one more to warm up with."""
    size = min(PAGE_SIZE, count)
    return bodies(count // size + 1, page_size=size)


def _size(body: bytes) -> int:
    return len(read_page(body).data)
