"""Proof for closed hours: the feed, the ledger, the dead letters, and the workspace, as sets of ids."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.errors import InvalidCommand
from shared.models import Hour, Outgoing, Page, Position, Window, hour_start, prefix_of
from shared.runs.connection import Connection, Reading
from shared.runs.paging import PageHandler, read_window
from shared.runs.plan_commands import checked_period
from shared.runs.run import Run, RunKind, RunState
from shared.state.ledger import HourOfIds, Ledger, LedgerKind, digest
from shared.streams.activity.rows import event_hour, identity

Verdict = Literal["proved", "missing", "surplus", "incomplete"]

CLOSED_FOR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HourProof:
    """One hour. `rows` is None when no workspace could be asked.

    missing: the feed shows an id that was neither delivered nor a dead letter, or the workspace lacks a delivered one
    that is not a dead letter since it was sent again and refused.
    incomplete: the feed showed fewer ids than were delivered; its reading cannot be trusted.
    surplus: the workspace has more than was delivered (a lost ledger, say): a note, not a failure.
    """

    hour: Hour
    feed: int
    sent: int
    sum: int
    dead: int
    counted: int
    rows: int | None
    rows_sum: int | None
    undelivered: int
    unseen: int

    @property
    def verdict(self) -> Verdict:
        if self.undelivered or (self.rows is not None and self.rows < self.sent):
            return "missing"
        if self.rows == self.sent and self.rows_sum != self.sum:
            return "missing"
        if self.unseen:
            return "incomplete"
        return "surplus" if self.rows is not None and self.rows > self.sent else "proved"

    @property
    def lacking(self) -> int:
        """How many ids are certainly missing; at least one where only the sums differ."""
        lost = self.undelivered + (max(0, self.sent - self.rows) if self.rows is not None else 0)
        return max(lost, 1) if self.verdict == "missing" else 0

    def row(self) -> dict[str, str | int]:
        """As an element of a health row's Digests."""
        told: dict[str, str | int] = {
            "hour": f"{self.hour}:00:00Z",
            "feed": self.feed,
            "ids": self.sent,
            "sum": self.sum,
            "dead": self.dead,
            "counted": self.counted,
            "verdict": self.verdict,
        }
        return told if self.rows is None else {**told, "rows": self.rows}


@dataclass(slots=True)
class Proof:
    """What `prove` found, hour by hour; how many rows a repair sent, and of which hours everything that was missing."""

    hours: list[HourProof] = field(default_factory=list)
    repaired: int = 0
    repaired_hours: set[Hour] = field(default_factory=set)

    @property
    def proved(self) -> bool:
        return all(hour.verdict in ("proved", "surplus") for hour in self.hours)

    @property
    def state(self) -> RunState:
        """The run's: whether it holds, or would if what was sent again arrives."""
        if self.proved:
            return RunState.OK
        broken = {hour.hour for hour in self.hours if hour.verdict in ("missing", "incomplete")}
        return RunState.REPAIRED if broken <= self.repaired_hours else RunState.GAP


def closed_hours(period: Window, now: datetime) -> Window:
    """The whole hours of `period` that have been closed for half an hour. InvalidCommand when there is none."""
    hours = Window(hour_after(period.gte), min(period.lt, now - CLOSED_FOR).replace(minute=0, second=0, microsecond=0))
    if hours.gte >= hours.lt:
        raise InvalidCommand("no whole hour of that period has been closed for half an hour: choose an earlier one")
    return hours


def period_to_prove(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """Yesterday (UTC) without bounds; with one of them, the day after or before it. InvalidCommand as above."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    last = end or (midnight if start is None else min(start + DAY, now))
    return closed_hours(checked_period(start or last - DAY, last, now), now)


def days_of(hours: Window) -> Iterator[Window]:
    """`hours` day by day, from its start."""
    at = hours.gte
    while at < hours.lt:
        day = Window(at, min(hours.lt, at + DAY))
        yield day
        at = day.lt


def hour_after(moment: datetime) -> datetime:
    """The first whole hour at or after `moment`."""
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + HOUR


async def prove(
    connection: Connection,
    period: Window,
    *,
    repair: bool = False,
    most_rows: int | None = None,
    again: bool = False,
) -> tuple[Run, Proof]:
    """Prove the closed hours of `period`, fixed before the first read.

    With `repair`, what the workspace lacks is read and sent again, hour by hour, within `most_rows`; prove once more
    when those rows can be queried. `again`: these hours were repaired before, so what is still missing is a gap.
    Raises InvalidCommand when no whole closed hour lies in the period.
    """
    hours = closed_hours(period, connection.clock.now())
    proof = Proof()
    bound = 0 if not repair else sys.maxsize if most_rows is None else most_rows
    async with connection.run(RunKind.PROOF) as run:
        run.window = hours
        reading = await connection.feed.reading()
        try:
            for day in days_of(hours):
                await _prove_period(connection, reading, day, proof, run, bound)
        finally:
            run.note(reading.receipts)
        run.digests = [hour.row() for hour in proof.hours]
        run.missing = sum(hour.lacking for hour in proof.hours)
        run.state = RunState.GAP if again and not proof.proved else proof.state
    return run, proof


async def _prove_period(
    connection: Connection, reading: Reading, period: Window, proof: Proof, run: Run, most_rows: int
) -> None:
    noted = _Noted()
    await _walk(connection, reading, period, noted)
    run.counts.read += sum(len(ids) for ids in noted.seen.values())
    stored = await connection.workspace.hours(connection.name, period.gte, period.lt) if connection.workspace else None
    for hour in period.hours():
        result = await _judge(connection, hour, noted.seen.get(hour, set()), stored)
        if result.verdict == "surplus":
            result = await _looked_into(connection, result)
        elif result.verdict == "missing":
            result = await _refused_since(connection, result)
        proof.hours.append(result)
        if result.verdict == "missing" and proof.repaired + result.lacking <= most_rows:
            sent = await _repair(connection, reading, hour, run)
            proof.repaired += sent
            if sent >= result.lacking and not result.unseen:
                proof.repaired_hours.add(hour)


async def _judge(
    connection: Connection, hour: Hour, seen: set[bytes], stored: dict[Hour, tuple[int, int]] | None
) -> HourProof:
    known = await connection.ledger.hour(hour)
    count, total = digest(known.sent.prefixes)
    rows, rows_sum = (None, None) if stored is None else stored.get(hour, (0, 0))
    return HourProof(
        hour=hour,
        feed=len(seen),
        sent=count,
        sum=total,
        dead=len(known.dead.prefixes - known.sent.prefixes),
        counted=len(known.counted.prefixes),
        rows=rows,
        rows_sum=rows_sum,
        undelivered=len(seen - known.all),
        unseen=len(known.all - seen),
    )


async def _looked_into(connection: Connection, result: HourProof) -> HourProof:
    """More rows than were delivered may still hide a lost one: compare the ids themselves."""
    if connection.workspace is None:
        return result
    start = hour_start(result.hour)
    stored = {prefix_of(id) for id in await connection.workspace.ids(connection.name, start, start + HOUR)}
    lost = (await connection.ledger.hour(result.hour)).sent.prefixes - stored
    return replace(result, rows=result.sent - len(lost)) if lost else result


async def _refused_since(connection: Connection, result: HourProof) -> HourProof:
    """A row that was accepted, not stored, and refused when it was sent again is a dead letter, not missing."""
    known = await connection.ledger.hour(result.hour)
    lost = await _waiting(connection, known)
    if connection.workspace is not None and lost:
        start = hour_start(result.hour)
        lost -= {prefix_of(id) for id in await connection.workspace.ids(connection.name, start, start + HOUR)}
    if not lost:
        return result
    count, total = digest(known.sent.prefixes - lost)
    return replace(result, sent=count, sum=total, dead=result.dead + len(lost))


async def _waiting(connection: Connection, known: HourOfIds) -> set[bytes]:
    """Of the ids the ledger has both as delivered and as dead letters, those whose row waits to be replayed."""
    both = known.sent.prefixes & known.dead.prefixes
    if not both:
        return set()
    return {
        item.prefix async for _, items in connection.dead_letters.waiting() for item in items if item.prefix in both
    }


async def _repair(connection: Connection, reading: Reading, hour: Hour, run: Run) -> int:
    """Send what the workspace (or, without one, the ledger) lacks of this hour."""
    start = hour_start(hour)
    known = await connection.ledger.hour(hour)
    has = known.all
    if connection.workspace is not None:
        stored = await connection.workspace.ids(connection.name, start, start + HOUR)
        dead_letters = known.dead.prefixes - known.sent.prefixes | await _waiting(connection, known)
        has = {prefix_of(id) for id in stored} | dead_letters | known.counted.prefixes
    pipeline = connection.pipeline(run, deadline=_far(connection), known=_Held(connection.ledger, has))
    before = run.counts.sent
    await _walk(connection, reading, Window(start, start + HOUR), pipeline)
    return run.counts.sent - before


async def _walk(connection: Connection, reading: Reading, window: Window, handler: PageHandler) -> None:
    async def save(_: Position) -> None:
        """A proof that is interrupted starts again."""

    await read_window(
        Position(window, limit=connection.pace.page_limit),
        source=reading,
        handler=handler,
        save=save,
        clock=connection.clock,
        deadline=_far(connection),
        settle=connection.pace.settle,
        reserve=connection.limits.request_reserve,
    )


class _Noted:
    """Delivers nothing: notes which ids the feed shows, per hour."""

    def __init__(self) -> None:
        self.seen: dict[Hour, set[bytes]] = {}

    async def handle(self, page: Page) -> None:
        for item in page.items:
            self.seen.setdefault(event_hour(item), set()).add(prefix_of(identity(item)))


class _Held:
    """What need not be sent again in a repair; what is sent goes into the real ledger."""

    def __init__(self, ledger: Ledger, prefixes: set[bytes]) -> None:
        self._ledger = ledger
        self._prefixes = prefixes

    async def load(self, hours: Iterable[Hour]) -> "Mapping[Hour, _Held]":
        return dict.fromkeys(hours, self)

    def knows(self, prefix: bytes) -> bool:
        return prefix in self._prefixes

    async def remember(self, rows: Sequence[Outgoing], kind: LedgerKind = LedgerKind.SENT) -> None:
        await self._ledger.remember(rows, kind)


def _far(connection: Connection) -> datetime:
    """An operator's command has no tick to end in; a day is for ever."""
    return connection.clock.now() + DAY
