"""One run: what kind it is, how it ended and who looks at that, what it counted, and which requests were its own."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.errors import (
    BridgeError,
    BudgetSpent,
    Busy,
    CheckpointMoved,
    ConfigError,
    LeaseHeld,
    LeaseLost,
    NotAvailable,
    SinkRefused,
    SourceIncoherent,
    SourceRefused,
    StateMissing,
    StateUnreadable,
    StoreFailed,
)
from shared.logs import safe
from shared.models import Counts, Delivery, Receipts, Window

SLOW = timedelta(minutes=15)
LATE = timedelta(hours=1)


class Attention(StrEnum):
    """Who looks at a run, and when."""

    NEVER = "never"
    OFFICE_HOURS = "office-hours"
    PAGE_NOW = "page-now"


class RunState(StrEnum):
    """How a run ended. Documents and alerts are tested against this list.

    `good` runs exit with 0 and fail no timer; `quiet` ones write no health row, since another run is at work and
    reports, and two reports of the same minute would only confuse.
    """

    attention: Attention
    level: int
    good: bool
    quiet: bool

    def __new__(
        cls,
        text: str,
        attention: Attention = Attention.PAGE_NOW,
        level: int = logging.ERROR,
        good: bool = False,
        quiet: bool = False,
    ) -> "RunState":
        state = str.__new__(cls, text)
        state._value_ = text
        state.attention, state.level, state.good, state.quiet = attention, level, good, quiet
        return state

    OK = "ok", Attention.NEVER, logging.INFO, True
    IDLE = "idle", Attention.NEVER, logging.INFO, True
    PARTIAL = "partial", Attention.NEVER, logging.INFO, True
    DELEGATED = "delegated", Attention.NEVER, logging.INFO, True, True  # the windows of a plan wrote their own rows
    LEASE_HELD = "lease_held", Attention.NEVER, logging.INFO, True, True
    SUPERSEDED = "superseded", Attention.NEVER, logging.INFO, True, True
    INCOMPLETE = "incomplete", Attention.OFFICE_HOURS, logging.INFO, True
    REPAIRED = "repaired", Attention.OFFICE_HOURS, logging.INFO, True  # the next proof shows whether it helped
    BUSY = "busy", Attention.NEVER  # it passes; if it does not, the lag pages
    NOT_AVAILABLE = "not_available", Attention.OFFICE_HOURS, logging.WARNING, True
    NOT_CONFIGURED = "not_configured", Attention.OFFICE_HOURS, logging.WARNING  # an error a minute until a key is there
    LEASE_LOST = "lease_lost", Attention.OFFICE_HOURS
    SELFTEST_FAILED = "selftest_failed", Attention.OFFICE_HOURS
    SOURCE_UNREADABLE = "source_unreadable", Attention.OFFICE_HOURS  # after three such runs the window is halved
    GAP = "gap"
    REFUSED = "refused"
    STATE_MISSING = "state_missing"
    STATE_UNREADABLE = "state_unreadable"
    STORE_FAILED = "store_failed"
    DEFECT = "defect"

    @property
    def permanent(self) -> bool:
        """Whether waiting changes nothing: somebody has to act."""
        return self.attention is Attention.PAGE_NOW and self is not RunState.GAP

    @staticmethod
    def after(error: BaseException) -> "RunState":
        """The state of a run that `error` ended; a defect unless it is one of the bridge's own."""
        return next((state for kind, state in _BY_ERROR if isinstance(error, kind)), RunState.DEFECT)


_BY_ERROR: tuple[tuple[type[BridgeError], RunState], ...] = (
    (LeaseHeld, RunState.LEASE_HELD),
    (LeaseLost, RunState.LEASE_LOST),
    (CheckpointMoved, RunState.SUPERSEDED),
    (BudgetSpent, RunState.PARTIAL),
    (Busy, RunState.BUSY),
    (NotAvailable, RunState.NOT_AVAILABLE),
    (SourceIncoherent, RunState.SOURCE_UNREADABLE),
    (SourceRefused, RunState.REFUSED),
    (SinkRefused, RunState.REFUSED),
    (ConfigError, RunState.NOT_CONFIGURED),
    (StateMissing, RunState.STATE_MISSING),
    (StateUnreadable, RunState.STATE_UNREADABLE),
    (StoreFailed, RunState.STORE_FAILED),
)


class RunKind(StrEnum):
    """What a run does, and how the rows it sends were delivered; None where it sends none but its health row."""

    delivery: Delivery | None

    def __new__(cls, text: str, delivery: Delivery | None = None) -> "RunKind":
        kind = str.__new__(cls, text)
        kind._value_ = text
        kind.delivery = delivery
        return kind

    LIVE = "live", Delivery.LIVE
    PLAN = "plan"
    REPAIR = "repair", Delivery.REPAIR
    SWEEP = "sweep", Delivery.LATE
    TRANSPARENCY = "transparency", Delivery.LATE
    HISTORY = "history", Delivery.BACKFILL
    SNAPSHOT = "snapshot", Delivery.LIVE
    REPLAY = "replay", Delivery.REPLAY
    PROOF = "proof", Delivery.REPAIR
    REBUILD = "rebuild"
    ESTIMATE = "estimate"
    CANARY = "canary"
    SELFTEST = "selftest"
    DOCTOR = "doctor"


def attention(state: RunState, *, lag: timedelta | None = None, dead_letters: int = 0) -> Attention:
    """Who looks at a run that ended in `state`; `lag` is the live run's."""
    if (lag is not None and lag > LATE) or state.attention is Attention.PAGE_NOW:
        return Attention.PAGE_NOW
    if (lag is not None and lag > SLOW) or dead_letters:
        return Attention.OFFICE_HOURS
    return state.attention


@dataclass(slots=True)
class Run:
    """One run as it goes on; becomes the health row when it ends.

    `late` are sent rows a sweep found, a part of `counts.sent`. `health_error` is what kept the row from being
    accepted.
    """

    id: str
    kind: RunKind
    started_at: datetime
    counts: Counts = field(default_factory=Counts)
    state: RunState = RunState.OK
    error: BaseException | None = None
    connection: str = ""
    stream: str = ""
    health_error: BridgeError | None = None
    window: Window | None = None
    watermark: datetime | None = None
    plan_id: int | None = None
    plan_waiting: int | None = None
    late: int = 0
    missing: int = 0
    gaps: int | None = None
    requests: int = 0
    retries: int = 0
    request_ids: list[str] = field(default_factory=list)
    budget_limit: int | None = None
    budget_remaining: int | None = None
    digests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def message(self) -> str | None:
        """What ended it, in a sentence that may be shown; a defect's own text is not ours and may quote a row."""
        if self.error is None:
            return None
        return safe(str(self.error)) if isinstance(self.error, BridgeError) else "a defect; the log says where"

    def note(self, receipts: Receipts) -> None:
        """Take over what the run's requests left behind."""
        self.requests, self.retries, self.request_ids = receipts.requests, receipts.retries, receipts.request_ids

    def lag(self, now: datetime) -> timedelta | None:
        """How far the watermark is behind; None for a run that has none."""
        return None if self.watermark is None else now - self.watermark
