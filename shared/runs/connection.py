"""One stream of one connection: its parts, and what every run of it has in common: an id, counts, a health row."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared import __version__
from shared.clock import Clock
from shared.errors import BridgeError
from shared.logs import defect, event, logger
from shared.models import DeadLetter, Delivery, Receipts
from shared.rows.minimize import Shaping
from shared.runs import metrics
from shared.runs.health_rows import HealthRows
from shared.runs.paging import Source
from shared.runs.pipeline import DeadLetterStore, Known, Pipeline, Sink
from shared.runs.run import Run, RunKind, RunState
from shared.source.endpoint import Endpoint
from shared.state.checkpoint import CheckpointStore, Pace
from shared.state.ledger import Ledger
from shared.state.plan import PlanStore
from shared.state.store import Store
from shared.streams import Stream
from shared.streams.activity.fold import RowContext
from shared.streams.activity.rows import ActivityRows, OwnRequests, identified
from shared.workspace.query import Workspace

log = logger(__name__)


class Reading(Source, Protocol):
    """A source as one run reads it."""

    @property
    def receipts(self) -> Receipts:
        """What its requests left behind, for the health row."""
        ...


class BudgetView(Protocol):
    """What the API last said of the shared request budget."""

    limit: int | None
    remaining: int | None


class DeadLetterBox(DeadLetterStore, Protocol):
    """Where dead letters wait, and how they are taken up again."""

    def waiting(self) -> AsyncIterator[tuple[str, Sequence[DeadLetter]]]:
        """Days with dead letters still waiting, each with its items."""
        ...

    async def mark_replayed(self, day: str, prefixes: Sequence[bytes]) -> None: ...


class Feed(Protocol):
    """A source of windows."""

    @property
    def budget(self) -> BudgetView: ...

    async def reading(self) -> Reading: ...


class ListedPage(Protocol):
    """One page of a list; `not_objects` counts what else stood in it."""

    @property
    def items(self) -> list[dict[str, Any]]: ...

    @property
    def not_objects(self) -> int: ...


class Lists(Protocol):
    """A source of lists."""

    @property
    def budget(self) -> BudgetView: ...

    async def begin_run(self) -> None:
        """Read the key afresh."""
        ...

    def pages(
        self, endpoint: Endpoint, receipts: Receipts, *, deadline: datetime, reserve: int
    ) -> AsyncIterator[ListedPage]:
        """Every page, to the end. Raises NotAvailable, and what reading raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A run's shares: of the tick, of the request budget and of memory.

    `prove_repair_rows` is what a daily proof may send again (0: it only reports), per connection and day it is started.
    `rows_in_hand` bounds what all planned windows hold at once: three full pages keep a processor busy, and each takes
    about 15 MB. `goodbye` is for the health row after the run's own time.
    """

    live: timedelta
    planned: timedelta
    plan_readers: int
    request_reserve: int
    prove_repair_rows: int
    rows_in_hand: int = 15_000
    goodbye: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConnection:
    """One stream of one connection, of whatever kind.

    `prefix` names its state: `connection/destination/stream`, below a folder for each kind of state.
    """

    name: str
    stream: str
    prefix: str
    sink: Sink
    store: Store
    health: HealthRows
    clock: Clock
    new_run_id: Callable[[], str]
    limits: Limits
    workspace: Workspace | None = None
    own_requests: OwnRequests = field(default_factory=OwnRequests)

    @property
    def budget(self) -> BudgetView | None:
        """What the API last said of the request budget this stream reads from."""
        return None

    def release_memory(self) -> None:
        """Let go of what only a run needs."""

    @asynccontextmanager
    async def run(self, kind: RunKind) -> AsyncIterator[Run]:
        """A run that ends in a state instead of an exception, and reports it in health row and log.

        What is not the bridge's own error is a defect: it is logged with its traceback (masked) and ends only this
        run. Cancellation passes through.
        """
        run = Run(self.new_run_id(), kind, self.clock.now(), connection=self.name, stream=self.stream)
        span = metrics.span(run)
        try:
            yield run
        except BridgeError as error:
            run.error, run.state = error, RunState.after(error)
        except Exception as error:
            run.error, run.state = error, RunState.DEFECT
            defect(log, "run.broke", error, connection=self.name, stream=self.stream, kind=kind)
        finally:
            self.release_memory()
            span.set_attribute("bridge.state", run.state)
            span.end()
        if run.state.quiet:
            if run.state is not RunState.DELEGATED:
                event(log, "run.yielded", connection=self.name, stream=self.stream, kind=kind, state=run.state)
            return
        if (budget := self.budget) is not None:
            run.budget_limit, run.budget_remaining = budget.limit, budget.remaining
        counts = run.counts
        event(
            log,
            "run.ended",
            level=run.state.level,
            connection=self.name,
            stream=self.stream,
            kind=kind,
            state=run.state,
            read=counts.read,
            sent=counts.sent,
            repeated=counts.repeated,
            dead=counts.dead,
            retries=run.retries + counts.upload_retries,
            error=run.message or "-",
        )
        await self._report(run)

    async def _report(self, run: Run) -> None:
        """Metrics and health row. A defect here must not reach the other connections' runs."""
        try:
            self.own_requests.add(run.request_ids)
            now = self.clock.now()
            lag = run.lag(now)
            seconds, lag_seconds = (now - run.started_at).total_seconds(), lag.total_seconds() if lag else None
            metrics.record(run, seconds=seconds, lag_seconds=lag_seconds)
            run.health_error = await self.health.write(run, deadline=now + self.limits.goodbye)
        except Exception as error:
            defect(log, "health.broke", error, connection=self.name, kind=run.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotConnection(StreamConnection):
    """One snapshot stream of one connection; `columns` are those of its table, `newer` what the deployed one lacks."""

    declared: Stream
    lists: Lists
    columns: frozenset[str]
    newer: frozenset[str] = frozenset()

    @property
    def budget(self) -> BudgetView:
        return self.lists.budget

    @property
    def every(self) -> timedelta:
        assert self.declared.every is not None  # a snapshot's declaration has one
        return self.declared.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(StreamConnection):
    """One connection: its feed, a stream of the kind *window*, and its `snapshots`."""

    snapshots: tuple[SnapshotConnection, ...] = ()
    feed: Feed
    dead_letters: DeadLetterBox
    ledger: Ledger
    pace: Pace
    content_names: bool = False
    shaping: Shaping = field(default_factory=Shaping)

    @property
    def budget(self) -> BudgetView:
        return self.feed.budget

    @property
    def checkpoint_store(self) -> CheckpointStore:
        """Where the live run stands."""
        return CheckpointStore(self.store, f"checkpoint/{self.prefix}.json", self.name)

    @property
    def plan_store(self) -> PlanStore:
        """What is to be read besides the live run."""
        return PlanStore(self.store, f"plan/{self.prefix}.json", self.name)

    def release_memory(self) -> None:
        self.ledger.forget_most()

    def pipeline(
        self,
        run: Run,
        *,
        deadline: datetime,
        watch_hours: bool = False,
        known: Known | None = None,
        dead_letters: DeadLetterStore | None = None,
    ) -> Pipeline:
        """What delivers the pages of one run; `known` replaces the ledger's answer to "which are new?"."""
        delivery = run.kind.delivery
        assert delivery is not None, run.kind
        context = RowContext(
            connection=self.name,
            run_id=run.id,
            version=__version__,
            delivery=delivery.value,
            is_backfill=delivery is Delivery.BACKFILL,
            received_at=self.clock.now(),
            content_names=self.content_names,
        )
        return Pipeline(
            known=known or self.ledger,
            sink=self.sink,
            dead_letters=dead_letters or self.dead_letters,
            identify=identified,
            to_row=ActivityRows(context, self.shaping, run.counts, self.own_requests).row,
            counts=run.counts,
            run_id=run.id,
            deadline=deadline,
            watch_hours=watch_hours,
        )
