"""What an operator may do to the plan: add, pause, resume, cancel. One implementation for the CLI and HTTP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from shared.errors import InvalidCommand
from shared.models import Window
from shared.runs.connection import Connection
from shared.state import plan as plans
from shared.state.plan import Plan, PlannedWindow

Action = Literal["add", "pause", "resume", "cancel"]
AddedKind = Literal["history", "repair"]
WAITING = ("waiting", "paused", "incomplete")
"""Shown states of windows whose work is not over."""

OLDEST = timedelta(days=6 * 365.25 + 7)
"""The feed keeps six years; a week more is no mistake worth refusing."""


@dataclass(frozen=True, slots=True)
class Command:
    """One change of the plan. `window` is an id; without it pause and resume mean the whole plan."""

    action: Action
    window: int | None = None
    kind: AddedKind = "repair"
    start: datetime | None = None
    end: datetime | None = None


async def carry_out(connections: Sequence[Connection], command: Command) -> list[dict[str, Any]]:
    """Change every plan, or none when one of them refuses. Returns them as JSON. Raises InvalidCommand."""
    if command.window is not None and len(connections) > 1:
        names = ", ".join(each.name for each in connections)
        raise InvalidCommand(f"say which connection: each has a plan of its own, with ids of its own ({names})")
    if command.action == "cancel" and command.window is None:
        raise InvalidCommand("say which window: the plan's list shows its id")
    changes = [(each, _change(each, command)) for each in connections]
    for each, change in changes:
        change(await each.plan_store.read())
    return [listed(each.name, await each.plan_store.update(change)) for each, change in changes]


async def list_plans(connections: Sequence[Connection], *, ended: bool = True) -> list[dict[str, Any]]:
    """Every plan as JSON; without `ended` only windows whose work is not over."""
    return [listed(each.name, await each.plan_store.read(), ended=ended) for each in connections]


def listed(name: str, plan: Plan, *, ended: bool = True) -> dict[str, Any]:
    """A plan as JSON: bounds, states and counts; cursors stay inside."""
    windows = [_as_json(window) for window in plan.windows if ended or shown_state(window) in WAITING]
    return {"connection": name, "paused": plan.paused, "windows": windows}


def shown_state(window: PlannedWindow) -> str:
    """The window's state; `paused` when an operator paused it while it waits."""
    return "paused" if window.paused and window.state == "waiting" else window.state


def checked_period(start: datetime, end: datetime, now: datetime) -> Window:
    """`[start, end)` when the feed can have anything of it; InvalidCommand otherwise."""
    if end <= start:
        raise InvalidCommand("the period must start before it ends")
    if end > now:
        raise InvalidCommand(f"the period ends in the future: it is {_minute(now)} now (UTC)")
    if start < now - OLDEST:
        raise InvalidCommand(f"the feed keeps six years: the period must not start before {now - OLDEST:%Y-%m-%d}")
    return Window(start, end)


def _change(connection: Connection, command: Command) -> Callable[[Plan], Plan]:
    if command.action == "add":
        if command.start is None or command.end is None:
            raise InvalidCommand("a period is missing: give both from and to, such as 2026-01-01 and 2026-07-01")
        period = checked_period(command.start, command.end, connection.clock.now())
        return lambda plan: _with_period(plan, command.kind, period, limit=connection.pace.page_limit)
    if command.start is not None or command.end is not None:
        raise InvalidCommand(f"from and to belong to add, not to {command.action}")
    if command.action == "cancel":
        return lambda plan: _with(plan, msgspec.structs.replace(_waiting(plan, command.window), state="cancelled"))
    pause = command.action == "pause"
    if command.window is None:
        return lambda plan: msgspec.structs.replace(plan, paused=pause)
    return lambda plan: _with(plan, msgspec.structs.replace(_waiting(plan, command.window), paused=pause))


def _with_period(plan: Plan, kind: AddedKind, period: Window, *, limit: int) -> Plan:
    """The plan with `period` in windows of a day. InvalidCommand when a waiting history or repair overlaps it."""
    for known in plan.windows:
        overlaps = known.open.gte < period.lt and period.gte < known.open.lt
        if known.state == "waiting" and known.kind in ("history", "repair") and overlaps:
            raise InvalidCommand(
                f"nothing was added: window {known.id} ({known.kind}, {_minute(known.open.gte)} to "
                f"{_minute(known.open.lt)}) is waiting for a part of that period; cancel it first, or add the rest"
            )
    if kind == "history":
        return plans.with_history(plan, period.gte, period.lt, limit=limit)
    lt = period.lt
    while lt > period.gte:
        gte = max(period.gte, lt - plans.DAY)
        plan = plans.added(plan, kind, Window(gte, lt), limit=limit)
        lt = gte
    return plan


def _waiting(plan: Plan, window_id: int | None) -> PlannedWindow:
    for window in plan.windows:
        if window.id == window_id:
            if window.state != "waiting":
                raise InvalidCommand(f"window {window_id} is {window.state} already: nothing was changed")
            return window
    raise InvalidCommand(f"no window of the plan has the id {window_id}: `plan list` shows them")


def _with(plan: Plan, window: PlannedWindow) -> Plan:
    # Not plans.changed: that one keeps an operator's earlier change, and this is the operator.
    return msgspec.structs.replace(
        plan, windows=tuple(window if known.id == window.id else known for known in plan.windows)
    )


def _as_json(window: PlannedWindow) -> dict[str, Any]:
    return {
        "id": window.id,
        "kind": window.kind,
        "from": window.open.gte.isoformat(),
        "to": window.open.lt.isoformat(),
        "state": shown_state(window),
        "pages": window.open.pages,
        "read": window.read,
        "sent": window.sent,
        "note": window.note,
        "not_before": window.not_before.isoformat() if window.not_before else None,
    }


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
