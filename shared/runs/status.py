"""Where one connection stands, from its state alone: no network but the state store's."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.errors import BridgeError
from shared.logs import safe
from shared.models import UNDATED, Hour, Window
from shared.runs import last_runs
from shared.runs.connection import Connection
from shared.runs.run import SLOW, RunState
from shared.runs.snapshot import SNAPSHOT, due_at
from shared.state.plan import PlannedWindow


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """One snapshot stream: how its last snapshot ended, None before the first, and when the next is due."""

    stream: str
    table: str
    state: str | None
    ended_at: datetime | None
    rows: int
    due_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "stream": self.stream,
            "table": self.table,
            "state": self.state,
            "ended_at": _iso(self.ended_at),
            "rows": self.rows,
            "due_at": _iso(self.due_at),
        }


@dataclass(slots=True)
class Status:
    """The feed's place, and `streams`, the connection's snapshots. `watermark` is None before `init`.

    `broken` tells what is wrong with checkpoint and plan, `trouble` what else needs somebody; both are sentences.

    `plan` counts the windows the plan still lists, by kind and state: the newest hundred that ended, and all of
    history while some of it waits. `history_done` is the share of that history, by time, that has been read.
    """

    connection: str
    stream: str
    streams: list["SnapshotStatus"] = field(default_factory=list)
    watermark: datetime | None = None
    lag: timedelta | None = None
    open: Window | None = None
    gaps: int = 0
    paused: bool = False
    plan: dict[str, Counter[str]] = field(default_factory=dict)
    history_done: float | None = None
    dead_letters: Counter[str] = field(default_factory=Counter)
    health_waiting: int = 0
    first_hour: Hour | None = None
    last_hour: Hour | None = None
    hours: int = 0
    broken: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For machines: times in ISO 8601, durations in seconds."""
        return {
            "connection": self.connection,
            "stream": self.stream,
            "begun": self.watermark is not None,
            "watermark": _iso(self.watermark),
            "lag_seconds": int(self.lag.total_seconds()) if self.lag is not None else None,
            "open_window": {"from": _iso(self.open.gte), "to": _iso(self.open.lt)} if self.open else None,
            "gaps": self.gaps,
            "plan_paused": self.paused,
            "plan": {kind: dict(states) for kind, states in sorted(self.plan.items())},
            "history_percent": None if self.history_done is None else round(100 * self.history_done, 1),
            "dead_letters": dict(self.dead_letters),
            "health_rows_waiting": self.health_waiting,
            "ledger": {"first": self.first_hour, "last": self.last_hour, "hours": self.hours},
            "trouble": [*self.broken, *self.trouble],
            "streams": [each.as_json() for each in self.streams],
        }


async def status(connection: Connection) -> Status:
    """Read the state; what cannot be read is trouble, not an error."""
    found = Status(connection.name, connection.stream)
    for part, wrong in (
        (_live, found.broken),
        (_plan, found.broken),
        (_waiting, found.trouble),
        (_ledger, found.trouble),
        (_snapshots, found.trouble),
    ):
        try:
            await part(connection, found)
        except BridgeError as error:
            wrong.append(safe(str(error)))
    return found


async def _live(connection: Connection, found: Status) -> None:
    if not await connection.checkpoint_store.exists():
        found.broken.append("it has not begun: `init` begins it; if it ran before, restore its state instead")
        return
    checkpoint = await connection.checkpoint_store.read()
    found.watermark, found.gaps = checkpoint.watermark, checkpoint.gaps
    found.lag = connection.clock.now() - checkpoint.watermark
    found.open = checkpoint.open.place().window if checkpoint.open is not None else None
    if found.lag > SLOW:
        found.trouble.append("live reading is more than 15 minutes behind: is the timer running? `doctor` tells why")


async def _plan(connection: Connection, found: Status) -> None:
    if not await connection.plan_store.exists():
        if found.watermark is not None:
            found.broken.append("the plan is missing: restore it from its previous version")
        return
    plan = await connection.plan_store.read()
    found.paused = plan.paused
    for window in plan.windows:
        state = "paused" if window.paused and window.state == "waiting" else window.state
        found.plan.setdefault(window.kind, Counter())[state] += 1
    found.history_done = history_done(plan.windows)
    incomplete = sum(states["incomplete"] for states in found.plan.values())
    if incomplete:
        found.trouble.append(f"{incomplete} planned windows stayed incomplete: `prove` their hours")


def history_done(windows: tuple[PlannedWindow, ...]) -> float | None:
    """The share, by time, of listed history that has been read; None when there is none."""
    history = [window for window in windows if window.kind == "history" and window.state != "cancelled"]
    total = sum((window.open.lt - window.open.gte for window in history), timedelta(0))
    done = sum((w.open.lt - w.open.gte for w in history if w.state == "done"), timedelta(0))
    return done / total if total else None


async def _waiting(connection: Connection, found: Status) -> None:
    async for _, items in connection.dead_letters.waiting():
        found.dead_letters.update(item.reason.split(":", 1)[0] for item in items)
    for name in await connection.store.names(f"health/{connection.prefix}"):
        found.health_waiting += len((await connection.store.tail(name, 0)).splitlines())
    if found.dead_letters:
        found.trouble.append(f"{found.dead_letters.total()} rows are set dead: `replay` sends them again")
    if found.health_waiting:
        found.trouble.append(f"{found.health_waiting} health rows could not be sent: `doctor` tells why")


async def _ledger(connection: Connection, found: Status) -> None:
    hours = [hour for hour in await connection.ledger.hours() if hour != UNDATED]
    found.hours = len(hours)
    if hours:
        found.first_hour, found.last_hour = hours[0], hours[-1]


async def _snapshots(connection: Connection, found: Status) -> None:
    for each in connection.snapshots:
        last = await last_runs.recall(each, SNAPSHOT)
        due = await due_at(each)
        state, ended, rows = (last.state, last.ended_at, last.sent) if last else (None, None, 0)
        found.streams.append(SnapshotStatus(each.stream, each.declared.table, state, ended, rows, due))
        if last is not None and not RunState(last.state).good:
            found.trouble.append(f"the last snapshot of {each.stream} ended {last.state}: `doctor` names the cause")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
