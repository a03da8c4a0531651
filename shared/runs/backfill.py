"""The planned windows of one connection: repairs, sweeps and history, up to ten windows at once until time is up."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.clock import Clock
from shared.errors import (
    BudgetSpent,
    CheckpointMoved,
    ConfigError,
    SinkBusy,
    SinkRefused,
    SourceIncoherent,
    SourceRefused,
    StoreFailed,
)
from shared.logs import event, logger
from shared.models import UNDATED, Hour, Position, hour_start
from shared.runs.connection import Connection, Reading
from shared.runs.paging import RowBudget, read_window
from shared.runs.run import Run, RunKind, RunState
from shared.state import checkpoint as checkpoints
from shared.state import plan as plans
from shared.state.checkpoint import OpenWindow
from shared.state.ledger import hour_digest
from shared.state.plan import Plan, PlannedWindow, PlanStore
from shared.state.store import Lease

log = logger(__name__)

REST = timedelta(minutes=5)
ENDS_THE_TURN = (SourceRefused, SinkRefused, SinkBusy, BudgetSpent, CheckpointMoved, ConfigError, StoreFailed)
"""What every window would meet: forty of them need not each ask, and each write a row, to learn of a refused key."""
SMALLEST = checkpoints.SMALLEST


async def work_plan(connection: Connection) -> list[Run]:
    """Work on the plan until nothing is ready or the time is up. Returns a run per window touched.

    One process at a time holds the plan's lease; live reading has its own and is never delayed.
    """
    runs: list[Run] = []
    async with connection.run(RunKind.PLAN) as run:
        async with connection.store.lease(f"lease/{connection.prefix}/plan") as lease:
            await _work_together(connection, lease, run.started_at + connection.limits.planned, runs)
        run.state = RunState.DELEGATED  # every window wrote its own row
    return [*runs, run] if run.error is not None else runs


async def _work_together(connection: Connection, lease: Lease, deadline: datetime, runs: list[Run]) -> None:
    keeper = connection.plan_store
    watermark = (await connection.checkpoint_store.read()).watermark
    limit = connection.pace.page_limit
    await keeper.update(lambda plan: plans.with_due(plan, connection.clock.now(), watermark, limit=limit))
    choice = Choice(keeper, connection.clock)
    row_budget = RowBudget(connection.limits.rows_in_hand)

    async def read_on() -> None:
        while connection.clock.now() < deadline:
            window = await choice.next()
            if window is None:
                return
            try:
                run = await PlannedRead(connection, keeper, lease, window, deadline, row_budget).run()
            finally:
                await choice.finished(window)
            runs.append(run)
            if isinstance(run.error, ENDS_THE_TURN):
                choice.stop()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(connection.limits.plan_readers):
                group.create_task(read_on())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several
    finally:
        await keeper.update(plans.tidied)


class _Withdrawn(Exception):
    """An operator paused or cancelled this window while it was being read."""


class PlannedRead:
    """One planned window's turn."""

    def __init__(
        self,
        connection: Connection,
        keeper: PlanStore,
        lease: Lease,
        window: PlannedWindow,
        deadline: datetime,
        row_budget: RowBudget,
    ) -> None:
        self._connection = connection
        self._keeper = keeper
        self._lease = lease
        self._window = window
        self._deadline = deadline
        self._row_budget = row_budget
        # Only a reading from the window's start can be compared with the ledger, and history compares nothing.
        self._watch = window.open.cursor is None and window.kind in ("sweep", "repair")

    async def run(self) -> Run:
        connection, start = self._connection, self._window.open.position()
        async with connection.run(RunKind(self._window.kind)) as run:
            run.plan_id, run.window = self._window.id, start.window
            reading = await connection.feed.reading()
            try:
                await self._walk(run, reading, start)
            except _Withdrawn:
                run.state = RunState.PARTIAL
            except SourceIncoherent as error:
                await self._count_failure(str(error))
                raise
            finally:
                run.note(reading.receipts)
                run.late = run.counts.sent if self._window.kind != "history" else 0
        return run

    async def _walk(self, run: Run, reading: Reading, start: Position) -> None:
        connection, window = self._connection, self._window
        result = await read_window(
            start,
            source=reading,
            handler=connection.pipeline(run, deadline=self._deadline, watch_hours=self._watch),
            save=lambda position: self._save(run, open=OpenWindow.at(position)),
            clock=connection.clock,
            deadline=self._deadline,
            settle=connection.pace.settle,
            reserve=connection.limits.request_reserve,
            row_budget=self._row_budget,
        )
        if not result.closed:
            run.state = RunState.PARTIAL
            await self._save(run, open=OpenWindow.at(result.position))
            return
        filtered = bool(result.position.activity_types)
        if not filtered:
            await self._compare(run, start)
        if run.missing and window.shorts + 1 < plans.ATTEMPTS_WHEN_INCOMPLETE:
            again = OpenWindow.at(start.restarted())
            rest = connection.clock.now() + REST
            await self._save(run, open=again, shorts=window.shorts + 1, not_before=rest, note=_short(run.missing))
        else:
            state, note = ("incomplete", _short(run.missing)) if run.missing else ("done", "")
            await self._save(run, open=OpenWindow.at(result.position), state=state, note=note)

    async def _save(self, run: Run, **changes: Any) -> None:
        """Store the window's new place; _Withdrawn when an operator no longer wants it read."""
        self._lease.check()
        counted = {"read": self._window.read + run.counts.read, "sent": self._window.sent + run.counts.sent}
        window = msgspec.structs.replace(self._window, **counted, **changes)
        plan = await self._keeper.update(lambda plan: plans.changed(plan, window))
        run.plan_waiting = sum(known.state == "waiting" for known in plan.windows)
        stored = next((known for known in plan.windows if known.id == window.id), None)
        if stored is None or plan.paused or stored.paused or stored.state == "cancelled":
            raise _Withdrawn

    async def _compare(self, run: Run, start: Position) -> None:
        """Digests of every hour read whole, and the ids the ledger knows that this reading did not show."""
        for hour in start.window.hours():
            if not _whole(start, hour):
                continue
            known = await self._connection.ledger.hour(hour)
            seen = run.counts.seen.get(hour, set()) if self._watch else None
            run.missing += len(known.all - seen) if seen is not None else 0
            run.digests.append(hour_digest(hour, known, seen))
        if run.missing:
            run.state = RunState.INCOMPLETE

    async def _count_failure(self, why: str) -> None:
        """Three failed readings split the window in two; one of a second rests and is tried for ever."""
        window, now = self._window, self._connection.clock.now()
        failures = window.open.failures + 1
        span = window.open.position().window.span
        if failures >= checkpoints.FAILURES_BEFORE_HALVING and span > SMALLEST:
            halved = window.open.position().window.first_half()
            event(log, "window.split", connection=self._connection.name, plan_id=window.id)
            rest = msgspec.structs.replace(window.open, gte=halved.lt, cursor=None, pages=0, failures=0)

            def split(plan: Plan) -> Plan:
                first = OpenWindow.at(Position(halved, limit=window.open.limit, activity_types=window.open.types))
                plan = plans.changed(plan, msgspec.structs.replace(window, open=first))
                return plans.added(
                    plan, window.kind, rest.position().window, limit=window.open.limit, types=window.open.types
                )

            await self._keeper.update(split)
            return
        tried = msgspec.structs.replace(
            window, open=msgspec.structs.replace(window.open, failures=failures), not_before=now + REST, note=why[:200]
        )
        await self._keeper.update(lambda plan: plans.changed(plan, tried))


def _whole(position: Position, hour: Hour) -> bool:
    """Whether the window holds all of the hour."""
    if hour == UNDATED:
        return False
    first = hour_start(hour)
    return position.window.gte <= first and first + plans.HOUR <= position.window.lt


def _short(missing: int) -> str:
    return f"the feed showed {missing} fewer ids than were delivered before" if missing else ""


class Choice:
    """Which window a reader takes next: each once, and never one that overlaps a window being read.

    Two readers of the same hour would both find its ids missing from the ledger, and send them twice.
    """

    def __init__(self, keeper: PlanStore, clock: Clock) -> None:
        self._keeper = keeper
        self._clock = clock
        self._taken: set[int] = set()
        self._active: list[PlannedWindow] = []
        self._changed = asyncio.Condition()
        self._stopped = False

    async def next(self) -> PlannedWindow | None:
        """The next window, waiting for one that is in the way; None when nothing is left to read."""
        async with self._changed:
            while True:
                plan = await self._keeper.read()
                ready = plans.ready(plan, self._clock.now(), len(plan.windows))
                left = [window for window in ready if window.id not in self._taken]
                free = next((w for w in left if not any(_overlap(w, active) for active in self._active)), None)
                if free is not None and not self._stopped:
                    self._taken.add(free.id)
                    self._active.append(free)
                    return free
                if self._stopped or not left or not self._active:
                    return None
                await self._changed.wait()

    def stop(self) -> None:
        """Hand out no more windows: what stopped one would stop them all."""
        self._stopped = True

    async def finished(self, window: PlannedWindow) -> None:
        async with self._changed:
            self._active.remove(window)
            self._changed.notify_all()


def _overlap(one: PlannedWindow, other: PlannedWindow) -> bool:
    return one.open.gte < other.open.lt and other.open.gte < one.open.lt
