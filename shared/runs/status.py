"""Where the connections stand, from their state alone: no network but the state store's. CLI and HTTP show this."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared import __version__
from shared.errors import BridgeError, ConfigError
from shared.logs import safe
from shared.models import UNDATED, Hour, Window
from shared.runs import last_turns
from shared.runs.connection import Connection
from shared.runs.last_turns import PLAN, POLL, PROVE, LastTurn
from shared.runs.plan_commands import shown_state
from shared.runs.run import SLOW, RunState
from shared.runs.snapshot import SNAPSHOT, due_at
from shared.state.plan import PlannedWindow


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """One snapshot stream: how its last snapshot ended, None before the first, and when the next is due."""

    stream: str
    table: str
    last: LastTurn | None
    due_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "stream": self.stream,
            "table": self.table,
            "state": self.last.state if self.last else None,
            "ended_at": _iso(self.last.ended_at) if self.last else None,
            "rows": self.last.sent if self.last else 0,
            "due_at": _iso(self.due_at),
        }


@dataclass(slots=True)
class Status:
    """The feed's position, and `streams`, the connection's snapshots. `watermark` is None before `init`.

    `blocking` are the sentences about what keeps the connection from working, `warnings` about what needs attention.

    `plan` counts the windows the plan still lists, by kind and state: the newest hundred that ended, and all of
    history while some of it waits. `history_done` is the share of that history, by time, that has been read.
    `ledger` is None unless it was asked for: listing it takes a request for every few thousand hours.
    """

    connection: str
    stream: str = ""
    streams: list[SnapshotStatus] = field(default_factory=list)
    watermark: datetime | None = None
    lag: timedelta | None = None
    open: Window | None = None
    gaps: int = 0
    paused: bool = False
    plan: dict[str, Counter[str]] = field(default_factory=dict)
    history_done: float | None = None
    dead_letters: Counter[str] = field(default_factory=Counter)
    health_waiting: int = 0
    ledger: Sequence[Hour] | None = None
    last_turns: dict[str, LastTurn] = field(default_factory=dict)
    blocking: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [*self.blocking, *self.warnings]

    def as_json(self) -> dict[str, Any]:
        """For machines: times in ISO 8601, durations in seconds."""
        return {
            "connection": self.connection,
            "stream": self.stream,
            "initialized": self.watermark is not None,
            "watermark": _iso(self.watermark),
            "lag_seconds": int(self.lag.total_seconds()) if self.lag is not None else None,
            "open_window": {"from": _iso(self.open.gte), "to": _iso(self.open.lt)} if self.open else None,
            "gaps": self.gaps,
            "plan_paused": self.paused,
            "plan": {kind: dict(states) for kind, states in sorted(self.plan.items())},
            "history_percent": None if self.history_done is None else round(100 * self.history_done, 1),
            "dead_letters": dict(self.dead_letters),
            "health_rows_waiting": self.health_waiting,
            "ledger": None if self.ledger is None else _hours(self.ledger),
            "last_turns": {
                timer: {"kind": turn.kind, "state": turn.state, "ended_at": _iso(turn.ended_at)}
                for timer, turn in self.last_turns.items()
            },
            "streams": [each.as_json() for each in self.streams],
            "problems": self.problems,
        }


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All connections; `reasons` say why the bridge cannot do its work, and none means that it is ready."""

    at: datetime
    connections: Sequence[Status] = ()
    reasons: Sequence[str] = ()

    @property
    def healthy(self) -> bool:
        return not self.reasons and not any(each.problems for each in self.connections)

    def as_json(self) -> dict[str, Any]:
        return {
            "status": "not ready" if self.reasons else "ready",
            "version": __version__,
            "at": _iso(self.at),
            "reasons": list(self.reasons),
            "connections": [each.as_json() for each in self.connections],
        }


async def report(
    connections: Iterable[Connection],
    broken: Iterable[tuple[str, ConfigError]],
    at: datetime,
    *,
    ledger: bool = False,
) -> StatusReport:
    """The status of every connection; those that cannot be built are listed with their sentence."""
    found = [Status(name, blocking=[safe(str(why))]) for name, why in broken]
    found += [await status(each, ledger=ledger) for each in connections]
    waits = [last.waits_for for each in found if (last := each.last_turns.get(POLL)) and last.waits_for]
    return StatusReport(at, found, [*(reason for each in found for reason in each.blocking), *waits])


async def status(connection: Connection, *, ledger: bool = False) -> Status:
    """Read the state; what cannot be read is a problem, not an error."""
    found = Status(connection.name, connection.stream)
    for part, problems in (
        (_live, found.blocking),
        (_plan, found.blocking),
        (_turns, found.warnings),
        (_waiting, found.warnings),
        (_snapshots, found.warnings),
        *([(_ledger, found.warnings)] if ledger else []),
    ):
        try:
            await part(connection, found)
        except BridgeError as error:
            problems.append(safe(str(error)))
    return found


async def _live(connection: Connection, found: Status) -> None:
    if not await connection.checkpoint_store.exists():
        found.blocking.append("not initialized: run `claude-bridge init`; if it ran before, restore its state instead")
        return
    checkpoint = await connection.checkpoint_store.read()
    found.watermark, found.gaps = checkpoint.watermark, checkpoint.gaps
    found.lag = connection.clock.now() - checkpoint.watermark
    found.open = checkpoint.open.position().window if checkpoint.open is not None else None
    if found.lag > SLOW:
        found.warnings.append("live reading is more than 15 minutes behind: check the timer, then run `doctor`")


async def _plan(connection: Connection, found: Status) -> None:
    if not await connection.plan_store.exists():
        if found.watermark is not None:
            found.blocking.append("the plan is missing: restore it from its previous version")
        return
    plan = await connection.plan_store.read()
    found.paused = plan.paused
    for window in plan.windows:
        found.plan.setdefault(window.kind, Counter())[shown_state(window)] += 1
    found.history_done = history_done(plan.windows)
    incomplete = sum(states["incomplete"] for states in found.plan.values())
    if incomplete:
        found.warnings.append(f"{incomplete} planned windows stayed incomplete: `prove` their hours")


def history_done(windows: tuple[PlannedWindow, ...]) -> float | None:
    """The share, by time, of listed history that has been read; None when there is none."""
    history = [window for window in windows if window.kind == "history" and window.state != "cancelled"]
    total = sum((window.open.lt - window.open.gte for window in history), timedelta(0))
    done = sum((w.open.lt - w.open.gte for w in history if w.state == "done"), timedelta(0))
    return done / total if total else None


async def _turns(connection: Connection, found: Status) -> None:
    for timer in (POLL, PLAN, PROVE):
        last = await last_turns.recall(connection, timer)
        if last is not None:
            found.last_turns[timer] = last
    live = found.last_turns.get(POLL)
    if live is not None and live.waits_for is not None:
        found.warnings.append(live.waits_for)


async def _waiting(connection: Connection, found: Status) -> None:
    async for _, items in connection.dead_letters.waiting():
        found.dead_letters.update(item.reason.split(":", 1)[0] for item in items)
    for name in await connection.store.names(f"health/{connection.prefix}"):
        found.health_waiting += len((await connection.store.tail(name, 0)).splitlines())
    if found.dead_letters:
        found.warnings.append(f"{found.dead_letters.total()} dead letters are waiting: `replay` sends them again")
    if found.health_waiting:
        found.warnings.append(f"{found.health_waiting} health rows could not be sent: run `doctor`")


async def _ledger(connection: Connection, found: Status) -> None:
    found.ledger = [hour for hour in await connection.ledger.hours() if hour != UNDATED]


async def _snapshots(connection: Connection, found: Status) -> None:
    for each in connection.snapshots:
        last = await last_turns.recall(each, SNAPSHOT)
        found.streams.append(SnapshotStatus(each.stream, each.declared.table, last, await due_at(each)))
        if last is not None and not RunState(last.state).good:
            found.warnings.append(f"the last snapshot of {each.stream} ended {last.state}: run `doctor`")


def _hours(hours: Sequence[Hour]) -> dict[str, Any]:
    return {"first": hours[0] if hours else None, "last": hours[-1] if hours else None, "hours": len(hours)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None
