"""Small fakes that keep state: a feed with a clock of its own, a table that may refuse, a store that may crash."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.clock import SimulatedClock
from shared.errors import BadRequest, CheckpointMoved, LeaseHeld, SinkBusy, SinkRefused
from shared.models import Cursor, Outgoing, Page, Position, Receipts
from shared.retry import retrying
from shared.runs.connection import Connection, Limits
from shared.runs.health_rows import HealthRows
from shared.settings import Settings
from shared.sink.batches import SCHEMA_FAULT_ROWS, SINK_ATTEMPTS, Sent, pack
from shared.state.checkpoint import Pace
from shared.state.dead_letters import DeadLetters
from shared.state.ledger import Ledger
from shared.state.store import Etag, Lease, Saved
from shared.wiring import limits_of, pace_of

NOON = datetime(2026, 10, 31, 12, tzinfo=UTC)
TYPE = "user_logged_out"


SETTINGS = Settings()


def pace(**changes: Any) -> Pace:
    """The pace of the default settings, with `changes`."""
    return msgspec.structs.replace(pace_of(SETTINGS), **changes)


def limits(**changes: Any) -> Limits:
    """The limits of the default settings, with `changes`."""
    return replace(limits_of(SETTINGS), **changes)


class Crash(BaseException):
    """A crash of the process: a BaseException, so that no handler for ordinary errors catches it."""


@dataclass
class Power:
    """Counts awaits; the process crashes at the chosen ones."""

    crash_at: set[int] = field(default_factory=set)
    awaits: int = 0

    async def touch(self) -> None:
        self.awaits += 1
        await asyncio.sleep(0)
        if self.awaits in self.crash_at:
            raise Crash(self.awaits)


class MemoryLease:
    def __init__(self) -> None:
        self.lost = False

    def check(self) -> None:
        if self.lost:
            from shared.errors import LeaseLost

            raise LeaseLost("taken over")


class MemoryStore:
    """A Store in memory; crashes before or after any operation as its Power decides."""

    def __init__(self, power: Power | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.power = power or Power()
        self.held: set[str] = set()
        self.leases: list[MemoryLease] = []
        self.failure: Exception | None = None

    async def _step(self) -> None:
        await self.power.touch()
        if self.failure is not None:
            raise self.failure

    async def read(self, name: str) -> Saved | None:
        await self._step()
        data = self.files.get(name)
        return None if data is None else Saved(data, Etag(str(hash(data))))

    async def create(self, name: str, data: bytes) -> Etag:
        await self._step()
        if name in self.files:
            raise CheckpointMoved(name)
        self.files[name] = data
        await self.power.touch()
        return Etag(str(hash(data)))

    async def replace(self, name: str, data: bytes, etag: Etag) -> Etag:
        await self._step()
        if name not in self.files or str(hash(self.files[name])) != etag:
            raise CheckpointMoved(name)
        self.files[name] = data
        await self.power.touch()
        return Etag(str(hash(data)))

    async def append(self, name: str, data: bytes) -> None:
        await self._step()
        self.files[name] = self.files.get(name, b"") + data
        await self.power.touch()

    async def tail(self, name: str, offset: int) -> bytes:
        await self._step()
        return self.files.get(name, b"")[offset:]

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        for name, data in blocks:
            await self.append(name, data)

    async def tails(self, positions: Sequence[tuple[str, int]]) -> list[bytes]:
        return [await self.tail(name, offset) for name, offset in positions]

    async def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(prefix.rstrip("/") + "/"))

    async def delete(self, name: str) -> None:
        self.files.pop(name, None)

    async def rename(self, name: str, new_name: str) -> None:
        if name in self.files:
            self.files[new_name] = self.files.pop(name)

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[Lease]:
        if name in self.held:
            raise LeaseHeld(name)
        self.held.add(name)
        lease = MemoryLease()
        self.leases.append(lease)
        try:
            yield lease
        finally:
            self.held.discard(name)


class DownStore(MemoryStore):
    """While it fails, names, moves and removals fail too."""

    async def names(self, prefix: str) -> list[str]:
        await self._step()
        return await super().names(prefix)

    async def delete(self, name: str) -> None:
        await self._step()
        await super().delete(name)

    async def rename(self, name: str, new_name: str) -> None:
        await self._step()
        await super().rename(name, new_name)


@dataclass(frozen=True)
class Happening:
    """An activity of the fake feed: when it happened, and when the index shows it (both seconds after NOON)."""

    created: int
    visible: int
    number: int

    @property
    def id(self) -> str:
        return f"activity_{self.number:04d}"

    @property
    def activity(self) -> dict[str, Any]:
        at = NOON + timedelta(seconds=self.created)
        return {
            "id": self.id,
            "type": TYPE,
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": None,
        }


@dataclass
class FakeBudget:
    limit: int | None = 600
    remaining: int | None = 500


class FakeFeed:
    """Pages of at most `page_size`, all of one type, in the order asked for; may refuse `order`, and forget cursors."""

    def __init__(
        self, happenings: Sequence[Happening], clock: SimulatedClock, power: Power, *, page_size: int = 3
    ) -> None:
        self.happenings = happenings
        self.clock = clock
        self.power = power
        self.page_size = page_size
        self.order_refused_from: int | None = None
        self.lost_cursors: set[int] = set()
        self.asked = 0
        self.budget = FakeBudget()
        self.skew = timedelta(0)

    async def reading(self) -> "FakeReading":
        await self.power.touch()
        return FakeReading(self)

    @property
    def seconds(self) -> float:
        return (self.clock.now() - NOON).total_seconds()

    def page(self, position: Position) -> Page:
        self.asked += 1
        refused_from = self.order_refused_from
        if position.order != "default" and refused_from is not None and self.seconds >= refused_from:
            raise BadRequest("order: unknown parameter")
        if position.cursor is not None and self.asked in self.lost_cursors:
            raise BadRequest("after_id: cannot be decoded")
        gte, lt = ((moment - NOON).total_seconds() for moment in (position.window.gte, position.window.lt))
        asked_for = not position.activity_types or TYPE in position.activity_types
        rows = [h for h in self.happenings if asked_for and h.visible <= self.seconds and gte <= h.created < lt]
        rows.sort(key=lambda h: (h.created, h.number), reverse=position.order != "asc")
        if position.cursor is not None:
            at = tuple(json.loads(position.cursor))
            forward = position.order == "asc"
            rows = [h for h in rows if ((h.created, h.number) > at) == forward and (h.created, h.number) != at]
        size = min(self.page_size, position.limit)
        shown = rows[:size]
        cursor = Cursor(json.dumps([shown[-1].created, shown[-1].number])) if shown else None
        items = [h.activity for h in shown]
        return Page(
            items=items,
            has_more=len(rows) > size,
            last_id=cursor,
            request_id=f"req_{self.asked}",
            server_time=self.clock.now() + self.skew,
            bytes=len(json.dumps(items)),
        )


class FakeReading:
    def __init__(self, feed: FakeFeed) -> None:
        self._feed = feed
        self.receipts = Receipts()

    async def page(self, position: Position, *, deadline: datetime, reserve: int | None = None) -> Page:
        await self._feed.power.touch()
        self.receipts.requests += 1
        page = self._feed.page(position)
        self.receipts.request_ids.append(page.request_id)
        await self._feed.power.touch()
        return page


class FakeTable:
    """A table that keeps every row it accepts, including repeats, `batch` rows per upload.

    `refuses` picks rows it will never take; the next `busy` tries meet a 503; `failure` is
    what every upload ends in.
    """

    def __init__(
        self,
        power: Power,
        *,
        batch: int = 2,
        refuses: Callable[[Outgoing], bool] = lambda _: False,
        clock: SimulatedClock | None = None,
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self.power = power
        self.batch = batch
        self.refuses = refuses
        self.busy = 0
        self.failure: Exception | None = None
        self.clock = clock or SimulatedClock(NOON)

    @property
    def ids(self) -> list[str]:
        return [row["ActivityId"] for row in self.rows]

    async def send(
        self, rows: Sequence[Outgoing], remember: Callable[[Sequence[Outgoing]], Awaitable[None]], *, deadline: datetime
    ) -> Sent:
        sent = Sent()
        for batch in _batched(rows, self.batch):
            taken = [row for row in batch if not self.refuses(row)]
            await self._upload(taken, sent, deadline)
            sent.refused += [(row, "400: no") for row in batch if self.refuses(row)]
            if len(sent.refused) > SCHEMA_FAULT_ROWS:
                raise SinkRefused("more rows refused than an accident: deploy the tables and the DCR again")
            if taken:
                await remember(taken)
                sent.rows += len(taken)
                sent.batches += 1
                sent.bytes += len(pack(taken).body)
        return sent

    async def _upload(self, rows: Sequence[Outgoing], sent: Sent, deadline: datetime) -> None:
        def count() -> None:
            sent.retries += 1

        await self.power.touch()
        if self.failure is not None:
            raise self.failure
        async for attempt in retrying(
            self.clock,
            SinkBusy,
            attempts=SINK_ATTEMPTS,
            deadline=deadline,
            jitter=random.Random(0),
            what="fake upload",
            count=count,
        ):
            with attempt:
                if self.busy > 0:
                    self.busy -= 1
                    raise SinkBusy("the ingestion endpoint is busy (503)")
        self.rows += [json.loads(row.body) for row in rows]
        await self.power.touch()


class FailingTable(FakeTable):
    """Accepts `good` batches and then raises `failure`, until it is repaired."""

    def __init__(self, power: Power, *, good: int, error: Exception) -> None:
        super().__init__(power)
        self.good: int | None = good
        self.error = error

    async def send(self, rows: Sequence[Outgoing], remember: Any, *, deadline: datetime) -> Sent:
        sent = Sent()
        for start in range(0, len(rows), self.batch):
            if self.good is not None and self.good <= 0:
                raise self.error
            part = await super().send(rows[start : start + self.batch], remember, deadline=deadline)
            sent.batches += part.batches
            self.good = None if self.good is None else self.good - 1
        return sent


def _batched(rows: Sequence[Outgoing], size: int) -> list[Sequence[Outgoing]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]


@dataclass
class FakeWorld:
    """A connection whose process can crash; `restart` returns a new one over the same feed, table and store."""

    happenings: Sequence[Happening] = ()
    power: Power = field(default_factory=Power)
    page_size: int = 3

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(NOON)
        self.store = MemoryStore(self.power)
        self.table = FakeTable(self.power, clock=self.clock)
        self.health = FakeTable(self.power, batch=50, clock=self.clock)
        self.feed = FakeFeed(self.happenings, self.clock, self.power, page_size=self.page_size)
        self.runs = itertools.count(1)
        self.limits = limits(plan_readers=3)

    def restart(self) -> Connection:
        self.store.held.clear()
        return Connection(
            name="test",
            stream="activity",
            prefix="test/dcr/activity",
            feed=self.feed,
            sink=self.table,
            dead_letters=DeadLetters(self.store, "test/dcr/activity", self.clock),
            ledger=Ledger(self.store, "test/dcr/activity"),
            store=self.store,
            health=HealthRows(
                self.health,
                self.store,
                connection="test",
                stream="activity",
                prefix="test/dcr/activity",
                clock=self.clock,
            ),
            clock=self.clock,
            new_run_id=lambda: f"run-{next(self.runs)}",
            pace=pace(page_limit=self.page_size),
            limits=self.limits,
        )
