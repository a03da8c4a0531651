"""One connection's parts, and what every run of it has in common: an id, a tally, a health row."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared import __version__
from shared.clock import Clock
from shared.errors import (
    BridgeError,
    BudgetSpent,
    Busy,
    CheckpointMoved,
    ConfigError,
    LeaseHeld,
    LeaseLost,
    SinkRefused,
    SourceIncoherent,
    SourceRefused,
    StateMissing,
    StateUnreadable,
    StoreFailed,
)
from shared.logs import defect, event, logger
from shared.models import AsideItem, Receipts
from shared.rows.shaping import Shaping
from shared.runs import metrics
from shared.runs.health_rows import HealthLog, Run
from shared.runs.own_requests import OwnReads
from shared.runs.paging import Source
from shared.runs.pipeline import Aside, Carrier, Known, Sink
from shared.state.checkpoint import Pace
from shared.state.checkpoint_store import CheckpointStore
from shared.state.ledger import Ledger
from shared.state.plan_store import PlanStore
from shared.state.store import Store
from shared.streams.activity.fold import Carriage
from shared.workspace.client import Workspace

log = logger(__name__)

STATES: tuple[tuple[type[BaseException], str], ...] = (
    (LeaseHeld, "held"),
    (LeaseLost, "lease_lost"),
    (CheckpointMoved, "moved"),
    (BudgetSpent, "partial"),
    (Busy, "busy"),
    (SourceIncoherent, "unreadable"),
    (SourceRefused, "refused"),
    (SinkRefused, "refused"),
    (ConfigError, "waiting"),
    (StateMissing, "state_missing"),
    (StateUnreadable, "state_unreadable"),
    (StoreFailed, "store_failed"),
)
QUIET_STATES = ("held", "moved")
"""Another run is at work and will tell; two runs reporting the same minute would only confuse."""
LOUD = {"waiting": logging.WARNING}  # it would be an error a minute until somebody stores the key
SILENT = "silent"
"""A run whose parts have spoken for it."""
GOOD_STATES = ("ok", "partial", "idle", "incomplete", "repaired", *QUIET_STATES)


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


class SetAside(Aside, Protocol):
    """Where rows wait, and how they are taken up again."""

    def waiting(self) -> AsyncIterator[tuple[str, Sequence[AsideItem]]]:
        """Days with rows still waiting, each with its rows."""
        ...

    async def mark_replayed(self, day: str, prefixes: Sequence[bytes]) -> None: ...


class Feed(Protocol):
    """The connection's feed."""

    @property
    def budget(self) -> BudgetView: ...

    async def reading(self) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """A run's shares: of the tick, of the request budget and of memory.

    `repair_rows` is what a daily proof may send again (0: it only reports), per connection and day it is started.
    `rows_in_hand` bounds what all planned walks hold at once: three full pages keep a processor busy, and each takes
    about 15 MB.
    """

    live: timedelta = timedelta(seconds=50)
    planned: timedelta = timedelta(minutes=8)
    readers: int = 10
    reserve: int = 120
    repair_rows: int = 100_000
    rows_in_hand: int = 15_000
    goodbye: timedelta = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything the runs of one connection and destination need. `folder` names its state: `name/destination`."""

    name: str
    folder: str
    feed: Feed
    sink: Sink
    set_aside: SetAside
    ledger: Ledger
    store: Store
    health: HealthLog
    clock: Clock
    new_run_id: Callable[[], str]
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    content_names: bool = False
    shaping: Shaping = field(default_factory=Shaping)
    workspace: Workspace | None = None
    own_reads: OwnReads = field(default_factory=OwnReads)

    @property
    def checkpoint_store(self) -> CheckpointStore:
        """Where the live run stands."""
        return CheckpointStore(self.store, f"checkpoint/{self.folder}.json", self.name)

    @property
    def plan_store(self) -> PlanStore:
        """What is to be read besides the live run."""
        return PlanStore(self.store, f"plan/{self.folder}.json", self.name)

    def carrier(
        self, run: Run, delivery: str, *, deadline: datetime, watch_hours: bool = False, known: Known | None = None
    ) -> Carrier:
        """What carries the pages of one run; `known` replaces the ledger's answer to "which are new?"."""
        carriage = Carriage(
            connection=self.name,
            run_id=run.id,
            version=__version__,
            delivery=delivery,
            is_backfill=delivery == "backfill",
            received_at=self.clock.now(),
            content_names=self.content_names,
        )
        return Carrier(
            known or self.ledger,
            self.sink,
            self.set_aside,
            carriage,
            run.tally,
            deadline,
            watch_hours,
            self.shaping,
            self.own_reads,
        )

    @asynccontextmanager
    async def run(self, walk: str) -> AsyncIterator[Run]:
        """A run that ends in a state instead of an exception, and says so in health and log.

        What is not the bridge's own error is a defect: it is logged with its traceback (masked) and ends only this
        run. Cancellation passes through.
        """
        run = Run(self.new_run_id(), walk, self.clock.now(), connection=self.name)
        span = metrics.span(self.name, walk)
        try:
            yield run
        except BridgeError as error:
            run.error = error
            run.state = next((state for kind, state in STATES if isinstance(error, kind)), "defect")
        except Exception as error:
            run.error, run.state = error, "defect"
            defect(log, "run.broke", error, connection=self.name, walk=walk)
        finally:
            self.ledger.forget_most()
            span.set_attribute("bridge.state", run.state)
            span.end()
        if run.state == SILENT:
            return
        if run.state in QUIET_STATES:
            event(log, "run.yielded", connection=self.name, walk=walk, state=run.state)
            return
        run.budget_limit, run.budget_remaining = self.feed.budget.limit, self.feed.budget.remaining
        level = logging.INFO if run.state in GOOD_STATES else LOUD.get(run.state, logging.ERROR)
        event(
            log,
            "run.ended",
            level=level,
            connection=self.name,
            walk=walk,
            state=run.state,
            read=run.tally.read,
            sent=run.tally.sent,
            repeated=run.tally.repeated,
            aside=run.tally.aside,
            error=run.says or "-",
        )
        await self._tell(run)

    async def _tell(self, run: Run) -> None:
        """Metrics and health row. A defect here must not reach the other connections' runs."""
        try:
            self.own_reads.add(run.request_ids)
            now = self.clock.now()
            lag = run.lag(now)
            seconds, lag_seconds = (now - run.started_at).total_seconds(), lag.total_seconds() if lag else None
            metrics.record(run, self.name, seconds=seconds, lag_seconds=lag_seconds)
            run.untold = await self.health.write(run, deadline=now + self.limits.goodbye)
        except Exception as error:
            defect(log, "health.broke", error, connection=self.name, walk=run.walk)
