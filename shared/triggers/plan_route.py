"""What an operator may ask of the plan over HTTP: a history, a repair, a pause. Reads bodies; knows no more of HTTP."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec

from shared.errors import ConfigError
from shared.models import Window
from shared.runs import plan_commands
from shared.runs.connection import Connection
from shared.runs.plan_commands import OrderedKind
from shared.state.plan import Plan, PlannedWindow
from shared.wiring import Bridge

T = TypeVar("T")

LONGEST_DAYS = plan_commands.OLDEST.days
LONGEST_BODY_BYTES = 10_000

Plans = list[dict[str, Any]]


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
    kind: OrderedKind = "repair"
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


async def start_backfill(bridge: Bridge, order: Backfill, now: datetime) -> Plans:
    """Plan history. Returns the plans; raises BadOrder, also when a part of the period is planned already."""
    period = _period(order, now)
    return await _change(chosen(bridge, order.connection), lambda each: _adding(each, "history", period))


async def change_plan(bridge: Bridge, order: Change, now: datetime) -> Plans:
    """Pause, resume, cancel or add. Returns the plans as they are now; raises BadOrder."""
    connections = chosen(bridge, order.connection)
    if order.action == "add":
        period = _period(order, now)
        return await _change(connections, lambda each: _adding(each, order.kind, period))
    if order.start is not None or order.to is not None:
        raise BadOrder(f"from and to belong to add, not to {order.action}")
    if order.window is not None and order.connection is None and len(connections) > 1:
        raise BadOrder("say which connection: each has a plan of its own, with ids of its own")
    if order.action == "cancel" and order.window is None:
        raise BadOrder("say which window: its id stands in the list that GET gives")
    return await _change(connections, lambda _: lambda plan: _held(plan, order))


async def list_plans(bridge: Bridge, name: str | None) -> Plans:
    """Every chosen connection's plan."""
    return [_listed(each.name, await each.plan_store.read()) for each in chosen(bridge, name)]


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


async def _change(connections: Sequence[Connection], order: Callable[[Connection], Callable[[Plan], Plan]]) -> Plans:
    """Carry out an order; what one plan refuses is refused before any plan is changed."""
    changes = [(each.plan_store, order(each), each.name) for each in connections]
    try:
        for keeper, change, _ in changes:
            change(await keeper.read())
        return [_listed(name, await keeper.update(change)) for keeper, change, name in changes]
    except ConfigError as impossible:
        raise BadOrder(str(impossible)) from None


def _adding(connection: Connection, kind: OrderedKind, period: Window) -> Callable[[Plan], Plan]:
    return lambda plan: plan_commands.with_period(plan, kind, period, limit=connection.pace.page_limit)


def _held(plan: Plan, order: Change) -> Plan:
    if order.action == "cancel" and order.window is not None:
        return plan_commands.cancelled(plan, order.window)
    return plan_commands.paused(plan, order.window, pause=order.action == "pause")


def _period(order: Backfill | Change, now: datetime) -> Window:
    """The period an order names. Raises BadOrder for every impossible one."""
    days = order.days if isinstance(order, Backfill) else None
    if days is not None:
        if order.start is not None or order.to is not None:
            raise BadOrder("give either days, or from and to")
        if not 1 <= days <= LONGEST_DAYS:
            raise BadOrder(f"days must be between 1 and {LONGEST_DAYS}")
        return Window(now - timedelta(days=days), now)
    if order.start is None or order.to is None:
        either = "days, or from and to" if isinstance(order, Backfill) else "from and to"
        raise BadOrder(f"a period is missing: give {either}")
    period = Window(_moment(order.start, "from"), _moment(order.to, "to"))
    if not period.gte < period.lt <= now:
        raise BadOrder("from must lie before to, and to must not lie in the future")
    if now - period.gte > plan_commands.OLDEST:
        raise BadOrder(f"from lies more than {LONGEST_DAYS} days back: the feed keeps six years")
    return period


def _moment(text: str, field: str) -> datetime:
    """`2026-11-24` or `2026-11-24T13:00`, UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadOrder(f"{field} is no time: write 2026-11-24 or 2026-11-24T13:00 (UTC)") from None


def _listed(name: str, plan: Plan) -> dict[str, Any]:
    """A plan as JSON: bounds, states and counts; cursors stay inside."""
    return {"connection": name, "paused": plan.paused, "windows": [_window(window) for window in plan.windows]}


def _window(window: PlannedWindow) -> dict[str, Any]:
    return {
        "id": window.id,
        "kind": window.kind,
        "from": window.open.gte.isoformat(),
        "to": window.open.lt.isoformat(),
        "state": window.state,
        "paused": window.paused,
        "read": window.read,
        "sent": window.sent,
        "note": window.note,
    }
