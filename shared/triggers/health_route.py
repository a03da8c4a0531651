"""What the health route tells a stranger: whether the bridge lives, how far it is, what it waits for. No secrets."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared import __version__
from shared.errors import BridgeError, ConfigError
from shared.runs import last_runs
from shared.runs.connection import Connection
from shared.runs.due import PLAN, POLL, PROVE
from shared.triggers.bridge_cache import Process
from shared.wiring import Bridge

FRESH = timedelta(seconds=15)
"""The route is open to everybody: however often it is asked, storage is asked four times a minute."""


@dataclass(frozen=True, slots=True)
class Report:
    """`reasons` are what must be mended before the bridge can do its work; none means that it is ready."""

    at: datetime
    connections: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        return 503 if self.reasons else 200

    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "status": "not ready" if self.reasons else "ready",
            "version": __version__,
            "at": self.at.isoformat(timespec="seconds"),
            "connections": self.connections,
        }
        return {**told, "reasons": self.reasons} if self.reasons else told


class Health:
    """Looks at most every fifteen seconds, one look at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self._last: tuple[Bridge, Report] | None = None

    async def report(self) -> Report:
        """How things stand; no error of the bridge escapes."""
        try:
            async with self._process.bridge() as bridge, self._turn:
                if self._last is None or not self._fresh(*self._last, bridge):
                    self._last = (bridge, await look(bridge, self._process.clock.now()))
                return self._last[1]
        except ConfigError as waiting:
            return Report(self._process.clock.now(), reasons=[str(waiting)])

    def _fresh(self, of: Bridge, report: Report, bridge: Bridge) -> bool:
        return of is bridge and self._process.clock.now() - report.at < FRESH


async def look(bridge: Bridge, now: datetime) -> Report:
    """Ask the state of every connection."""
    report = Report(now)
    for name, waiting in bridge.broken:
        report.connections.append({"name": name, "state": "waiting"})
        report.reasons.append(str(waiting))
    for connection in bridge.connections:
        told: dict[str, Any] = {"name": connection.name, "state": "unknown"}
        report.connections.append(told)
        try:
            told.update(await _of(connection, now, report.reasons))
        except BridgeError as error:
            told["problem"] = type(error).__name__
            report.reasons.append(str(error))
    return report


async def _of(connection: Connection, now: datetime, reasons: list[str]) -> dict[str, Any]:
    checkpoint = await connection.checkpoint_store.read()
    plan = await connection.plan_store.read()
    last = {timer: await last_runs.recall(connection, timer) for timer in (POLL, PLAN, PROVE)}
    live = last[POLL]
    if live is not None and live.waits_for is not None:
        reasons.append(live.waits_for)
    return {
        "state": "known",
        "watermark": checkpoint.watermark.isoformat(timespec="seconds"),
        "lag_seconds": int((now - checkpoint.watermark).total_seconds()),
        "gaps": checkpoint.gaps,
        "plan_waiting": sum(window.state == "waiting" for window in plan.windows),
        "plan_paused": plan.paused,
        "set_aside_days_waiting": [day async for day, _ in connection.dead_letters.waiting()],
        "last_runs": {
            timer: {"walk": turn.kind, "state": turn.state, "ended_at": turn.ended_at.isoformat(timespec="seconds")}
            for timer, turn in last.items()
            if turn is not None
        },
    }
