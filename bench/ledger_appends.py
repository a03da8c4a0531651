"""How fast eight writers append ids to the ledger, compared with one document updated by compare-and-swap."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from bench.reading import Reading
from bench.sample import START
from shared.errors import CheckpointMoved
from shared.models import Outgoing, hour_of, prefix_of
from shared.state.file_store import FileStore
from shared.state.ledger import Ledger
from shared.state.store import Store

WRITERS = 8
BLOCK = 1000
HOUR = hour_of(START + timedelta(hours=9))
DOCUMENT = "ledger/bench.json"


def ours(count: int) -> Reading:
    """Ids a second through `Ledger.remember`, one block per upload, all in one hour: the case with contention."""
    blocks = _blocks(count)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        store = FileStore(Path(folder))
        ledger = Ledger(store, "bench")
        seconds = runner.run(_timed(blocks, ledger))
        kept = runner.run(Ledger(store, "bench").hour(HOUR))
    return _reading(len(kept.sent.prefixes), count, seconds)


def baseline(count: int) -> Reading:
    """The same blocks into one document: read, add, replace if unchanged, otherwise retry."""
    blocks = _blocks(count)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        store = FileStore(Path(folder))
        document = Document(store)
        seconds = runner.run(_timed(blocks, document))
        saved = runner.run(store.read(DOCUMENT))
        kept = len(saved.data) // 8 if saved is not None else 0
    return _reading(kept, count, seconds, document.lost_races)


class Document:
    """One document with every prefix; a failed swap is retried."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lost_races = 0

    async def remember(self, rows: Sequence[Outgoing]) -> None:
        block = b"".join(row.prefix for row in rows)
        while True:
            saved = await self._store.read(DOCUMENT)
            try:
                if saved is None:
                    await self._store.create(DOCUMENT, block)
                else:
                    await self._store.replace(DOCUMENT, saved.data + block, saved.etag)
                return
            except CheckpointMoved:
                self.lost_races += 1


async def _timed(blocks: Sequence[Sequence[Outgoing]], ledger: Ledger | Document) -> float:
    async def write(mine: Sequence[Sequence[Outgoing]]) -> None:
        for block in mine:
            await ledger.remember(block)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(write(blocks[writer::WRITERS]))
    return time.perf_counter() - started


def _blocks(count: int) -> list[list[Outgoing]]:
    rows = [Outgoing(name, prefix_of(name), HOUR, b"", None) for name in (f"activity_{n:024d}" for n in range(count))]
    return [rows[at : at + BLOCK] for at in range(0, count, BLOCK)]


def _reading(kept: int, count: int, seconds: float, lost_races: int = 0) -> Reading:
    if kept != count:
        raise RuntimeError(f"{kept} of {count} ids were kept")
    return Reading(count / seconds, {"seconds": seconds, "lost_races": lost_races})
