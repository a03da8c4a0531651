"""History, sweeps and repairs as one list of windows per connection: pure functions, and their store."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from shared.errors import CheckpointMoved, StateMissing
from shared.models import Position, Window
from shared.state.checkpoint import OpenWindow
from shared.state.store import Etag, Store, parsed

FORMAT = 1

Kind = Literal["repair", "sweep", "transparency", "history"]
State = Literal["waiting", "done", "incomplete", "cancelled"]

FIRST_KINDS: tuple[Kind, ...] = ("repair", "sweep", "transparency", "history")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SWEEP_AGES = (1, 6, 26, 50)
LONGEST_SWEEP = timedelta(hours=6)
TRANSPARENCY_TYPES = ("anthropic_access", "cmek_preserve")
TRANSPARENCY_SPAN = timedelta(days=8)
ATTEMPTS_WHEN_INCOMPLETE = 3
KEPT_WHEN_DONE = 100


class PlannedWindow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One window of the plan; `failures` of its own are counted in `open`, short readings in `shorts`.

    `read` and `sent` count activities; `not_before` lets a failed window rest so that others get their turn.
    """

    id: int
    kind: Kind
    open: OpenWindow
    state: State = "waiting"
    paused: bool = False
    read: int = 0
    sent: int = 0
    shorts: int = 0
    note: str = ""
    not_before: datetime | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All planned windows of one connection.

    `swept` holds, per age in hours, up to which event hour sweeps were planned; `transparency_at` when the
    access-transparency types were last planned.
    """

    windows: tuple[PlannedWindow, ...] = ()
    next_id: int = 1
    paused: bool = False
    swept: dict[str, datetime] = {}
    transparency_at: datetime | None = None
    format: int = FORMAT


def begin(start: datetime) -> Plan:
    """A new connection's plan: sweeps begin with the hour in which live reading begins."""
    return Plan(swept={str(age): _hour(start) for age in SWEEP_AGES}, transparency_at=start)


def added(plan: Plan, kind: Kind, window: Window, *, limit: int, types: tuple[str, ...] = ()) -> Plan:
    """The plan with one more window; the same window waiting already is not planned twice."""
    for known in plan.windows:
        same = (known.kind, known.open.gte, known.open.lt, known.open.types) == (kind, window.gte, window.lt, types)
        if same and known.state == "waiting":
            return plan
    position = Position(window, limit=limit, activity_types=types)
    planned = PlannedWindow(id=plan.next_id, kind=kind, open=OpenWindow.at(position))
    return msgspec.structs.replace(plan, windows=(*plan.windows, planned), next_id=plan.next_id + 1)


def with_history(plan: Plan, start: datetime, end: datetime, *, limit: int, now: datetime | None = None) -> Plan:
    """History `[start, end)` in windows of a day, newest first: what happened last week is asked for first.

    What is indexed late in its last two days (as seen from `now`, by default its end) is found by the sweeps, which
    are set back for it.
    """
    now = now or end
    swept = {
        str(age): min(plan.swept.get(str(age), end), max(start, _hour(now - age * HOUR)))
        for age in SWEEP_AGES
        if now - age * HOUR < end
    }
    plan = msgspec.structs.replace(plan, swept={**plan.swept, **swept})
    lt = end
    while lt > start:
        gte = max(start, lt - DAY)
        plan = added(plan, "history", Window(gte, lt), limit=limit)
        lt = gte
    return plan


def with_due(plan: Plan, now: datetime, watermark: datetime, *, limit: int) -> Plan:
    """The plan with every sweep that has become due.

    An event hour is read again when it is 1, 6, 26 and 50 hours old, never beyond live reading's watermark; hours
    missed while the bridge was off are read in windows of up to six hours.
    """
    for age in SWEEP_AGES:
        due = _hour(min(now - age * HOUR, watermark))
        start = plan.swept.get(str(age), due)
        while start < due:
            end = min(due, start + LONGEST_SWEEP)
            plan = added(plan, "sweep", Window(start, end), limit=limit)
            start = end
        plan = msgspec.structs.replace(plan, swept={**plan.swept, str(age): max(start, due)})
    if plan.transparency_at is None or now - plan.transparency_at >= DAY:
        window = Window(watermark - TRANSPARENCY_SPAN, watermark)
        plan = added(plan, "transparency", window, limit=limit, types=TRANSPARENCY_TYPES)
        plan = msgspec.structs.replace(plan, transparency_at=now)
    return plan


def ready(plan: Plan, now: datetime, count: int) -> list[PlannedWindow]:
    """Up to `count` windows to work on: repairs first, then sweeps, then history in the order it was planned."""
    if plan.paused:
        return []
    open_windows = [
        window
        for window in plan.windows
        if window.state == "waiting" and not window.paused and (window.not_before is None or window.not_before <= now)
    ]
    return sorted(open_windows, key=lambda window: (FIRST_KINDS.index(window.kind), window.id))[:count]


def changed(plan: Plan, window: PlannedWindow) -> Plan:
    """The plan with `window` in place of the one with its id; an operator's pause or cancellation stays in force."""
    return msgspec.structs.replace(
        plan, windows=tuple(_merged(known, window) if known.id == window.id else known for known in plan.windows)
    )


def tidied(plan: Plan) -> Plan:
    """Only the newest 100 finished windows are kept for `status`; of history all, until none of it waits: its share
    that was read is what an operator asks for."""
    history_waits = any(window.kind == "history" and window.state == "waiting" for window in plan.windows)
    finished = [
        window.id
        for window in plan.windows
        if window.state in ("done", "cancelled") and not (history_waits and window.kind == "history")
    ]
    dropped = set(finished[:-KEPT_WHEN_DONE])
    return msgspec.structs.replace(plan, windows=tuple(w for w in plan.windows if w.id not in dropped))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _merged(known: PlannedWindow, window: PlannedWindow) -> PlannedWindow:
    if known.state == "cancelled":
        return known
    return msgspec.structs.replace(window, paused=known.paused)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Plan)


def dump(plan: Plan) -> bytes:
    return _encoder.encode(plan)


def parse(data: bytes) -> Plan:
    """Read a stored plan; StateUnreadable when it is damaged or from a later release."""
    return parsed(_decoder, data, what="plan", known=FORMAT)


SWAPS = 20


class PlanStore:
    """The plan of one stream, stored as the document `name`; `owner` is the connection's name, for messages."""

    def __init__(self, store: Store, name: str, owner: str) -> None:
        self._store = store
        self._name = name
        self._owner = owner
        self._turn = asyncio.Lock()

    async def read(self) -> Plan:
        """Raises StateMissing, StateUnreadable or StoreFailed."""
        plan, _ = await self._load()
        return plan

    async def exists(self) -> bool:
        """Whether there is a plan; raises StoreFailed."""
        return await self._store.read(self._name) is not None

    async def update(self, change: Callable[[Plan], Plan]) -> Plan:
        """Apply `change` to the plan as it is now, again and again until nobody was faster."""
        async with self._turn:
            for _ in range(SWAPS):
                plan, etag = await self._load()
                following = change(plan)
                if following == plan:
                    return plan
                try:
                    await self._store.replace(self._name, dump(following), etag)
                    return following
                except CheckpointMoved:
                    continue
        raise CheckpointMoved("the plan is being changed by others without pause")

    async def create(self, plan: Plan) -> None:
        """Store a first plan; CheckpointMoved when there is one."""
        await self._store.create(self._name, dump(plan))

    async def delete(self) -> None:
        """Remove the plan; no error when there is none."""
        await self._store.delete(self._name)

    async def _load(self) -> tuple[Plan, Etag]:
        saved = await self._store.read(self._name)
        if saved is None:
            raise StateMissing(
                f"connection {self._owner} has no plan for this destination: start it with `claude-bridge init`, "
                "or restore the state if it was running before"
            )
        return parse(saved.data), saved.etag
