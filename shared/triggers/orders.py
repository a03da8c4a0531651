"""What an operator may ask of the plan over HTTP: a history, a repair, a pause. Reading and applying; knows no HTTP."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec

from shared.connection import Connection
from shared.models import Window
from shared.planned import PlanKeeper
from shared.progress import plan as plans
from shared.progress.plan import Plan, PlannedWindow
from shared.wiring import Bridge

T = TypeVar("T")

LONGEST_DAYS = 2200
"""Six years, the longest the Compliance API keeps activities."""
LONGEST_BODY_BYTES = 10_000


class BadOrder(Exception):
    """What was asked cannot be done; the message is one sentence for whoever asked."""


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """`{"days": 90}` or `{"from": "2026-09-01", "to": "2026-10-01"}`; without `connection` for all of them."""

    connection: str | None = None
    days: int | None = None
    start: str | None = None
    to: str | None = None


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One change of the plan. `window` names one by its id; without it pause and resume mean the whole plan."""

    action: Literal["pause", "resume", "cancel", "add"]
    connection: str | None = None
    window: int | None = None
    kind: Literal["repair", "history"] = "repair"
    start: str | None = None
    to: str | None = None


def read(body: bytes, kind: type[T]) -> T:
    """The order in a request's body. Raises BadOrder."""
    if len(body) > LONGEST_BODY_BYTES:
        raise BadOrder(f"the body is longer than {LONGEST_BODY_BYTES} bytes: no order needs as much")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as wrong:
        raise BadOrder(f"the body is not what is expected: {wrong}") from None


def chosen(bridge: Bridge, name: str | None) -> Sequence[Connection]:
    """The connection called `name`, or all that work.

    Raises BadOrder when there is none of that name, and its ConfigError when it cannot run.
    """
    if name is None:
        return bridge.connections
    known = [connection.name for connection in bridge.connections] + [broken for broken, _ in bridge.broken]
    if name not in known:
        raise BadOrder(f"no connection has that name; there are: {', '.join(known)}")
    return (bridge.connection(name),)


async def start_backfill(bridge: Bridge, order: Backfill, now: datetime) -> list[dict[str, Any]]:
    """Plan history; the same days asked for twice are read twice and sent once. Returns the plans."""
    window = _asked(order, now)
    return [
        await changed(connection, lambda plan: plans.with_history(plan, window.gte, window.lt))
        for connection in chosen(bridge, order.connection)
    ]


async def change_plan(bridge: Bridge, order: Change, now: datetime) -> list[dict[str, Any]]:
    """Pause, resume, cancel or add. Returns the plans as they are now."""
    connections = chosen(bridge, order.connection)
    if order.window is not None and order.connection is None and len(connections) > 1:
        raise BadOrder("say which connection: each has a plan of its own, with ids of its own")
    change = _changing(order, now)
    return [await changed(connection, change) for connection in connections]


async def changed(connection: Connection, change: Callable[[Plan], Plan]) -> dict[str, Any]:
    return listed(connection.name, await PlanKeeper(connection).update(change))


async def list_plans(bridge: Bridge, name: str | None) -> list[dict[str, Any]]:
    """Every chosen connection's plan."""
    return [listed(each.name, await PlanKeeper(each).read()) for each in chosen(bridge, name)]


def listed(name: str, plan: Plan) -> dict[str, Any]:
    """A plan as JSON: bounds, states and counts; cursors stay inside."""
    return {"connection": name, "paused": plan.paused, "windows": [_window(window) for window in plan.windows]}


def _window(window: PlannedWindow) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": window.id,
        "kind": window.kind,
        "from": window.open.gte.isoformat(),
        "to": window.open.lt.isoformat(),
        "state": window.state,
        "paused": window.paused,
        "read": window.read,
        "sent": window.sent,
    }
    return {**told, "note": window.note} if window.note else told


def _changing(order: Change, now: datetime) -> Callable[[Plan], Plan]:
    if order.action == "add":
        window = _asked(order, now)
        if order.kind == "history":
            return lambda plan: plans.with_history(plan, window.gte, window.lt)
        return lambda plan: _with_repair(plan, window)
    if order.start is not None or order.to is not None:
        raise BadOrder(f"from and to belong to add, not to {order.action}")
    if order.action == "cancel":
        return lambda plan: _replaced(plan, _waiting(plan, order.window), state="cancelled")
    paused = order.action == "pause"
    if order.window is None:
        return lambda plan: msgspec.structs.replace(plan, paused=paused)
    return lambda plan: _replaced(plan, _waiting(plan, order.window), paused=paused)


def _with_repair(plan: Plan, window: Window) -> Plan:
    """The plan with repairs of at most a day each, so that one that fails does not hold up the others."""
    gte = window.gte
    while gte < window.lt:
        lt = min(window.lt, gte + plans.DAY)
        plan = plans.added(plan, "repair", Window(gte, lt))
        gte = lt
    return plan


def _waiting(plan: Plan, number: int | None) -> PlannedWindow:
    if number is None:
        raise BadOrder("say which window: its id stands in the list that GET gives")
    found = next((window for window in plan.windows if window.id == number), None)
    if found is None:
        raise BadOrder(f"the plan has no window {number}")
    if found.state != "waiting":
        raise BadOrder(f"window {number} is {found.state} and cannot be changed any more")
    return found


def _replaced(plan: Plan, window: PlannedWindow, **changes: Any) -> Plan:
    new = msgspec.structs.replace(window, **changes)
    return msgspec.structs.replace(plan, windows=tuple(new if w.id == window.id else w for w in plan.windows))


def _asked(order: Backfill | Change, now: datetime) -> Window:
    """The period an order names. Raises BadOrder for every impossible one."""
    days = order.days if isinstance(order, Backfill) else None
    if days is not None:
        if order.start is not None or order.to is not None:
            raise BadOrder("give either days, or from and to")
        if not 1 <= days <= LONGEST_DAYS:
            raise BadOrder(f"days must be between 1 and {LONGEST_DAYS}")
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return Window(midnight - timedelta(days=days), now)
    if order.start is None or order.to is None:
        either = "days, or from and to" if isinstance(order, Backfill) else "from and to"
        raise BadOrder(f"a period is missing: give {either}")
    window = Window(_moment(order.start, "from"), _moment(order.to, "to"))
    if not window.gte < window.lt <= now:
        raise BadOrder("from must lie before to, and to must not lie in the future")
    if now - window.gte > timedelta(days=LONGEST_DAYS + 1):
        raise BadOrder(f"from lies more than {LONGEST_DAYS} days back")
    return window


def _moment(text: str, field: str) -> datetime:
    """`2026-11-24` or `2026-11-24T13:00`, UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadOrder(f"{field} is no time: write 2026-11-24 or 2026-11-24T13:00 (UTC)") from None
