"""`status` and `plan`: where the connections stand, and what is to be read besides the live walk."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table as Grid

from shared.cli.common import AsJson, From, Name, To, chosen, console, moment, print_json, with_bridge
from shared.errors import ConfigError
from shared.runs import plan_commands
from shared.runs.connection import Connection
from shared.runs.plan_commands import OrderedKind
from shared.runs.status import Status
from shared.runs.status import status as status_of
from shared.state.plan import Plan, PlannedWindow
from shared.wiring import Bridge

plan_app = typer.Typer(help="History, sweeps and repairs: list them, order more, hold them.", no_args_is_help=True)

WindowId = Annotated[int, typer.Argument(metavar="ID", min=1, help="A window's id, as `plan list` shows it.")]
MaybeId = Annotated[int | None, typer.Argument(metavar="[ID]", min=1, help="One window; without it, the whole plan.")]


def status(connection: Name = None, as_json: AsJson = False) -> None:
    """Where every connection stands, from its state alone. Exit code 1 when something needs somebody."""

    async def work(bridge: Bridge) -> int:
        found = [await status_of(each) for each in chosen(bridge, connection)]
        if as_json:
            broken = [{"connection": name, "begun": False, "trouble": [str(error)]} for name, error in bridge.broken]
            print_json({"connections": [each.as_json() for each in found] + (broken if connection is None else [])})
        else:
            for each in found:
                _print_status(each)
        wrong = any(each.broken or each.trouble for each in found) or (connection is None and bool(bridge.broken))
        return 1 if wrong else 0

    with_bridge(work)


def _print_status(found: Status) -> None:
    grid = Grid(title=found.connection, title_justify="left", show_header=False, box=None, pad_edge=False)
    grid.add_row("begun", "yes" if found.watermark else "no")
    if found.watermark is not None and found.lag is not None:
        grid.add_row("watermark", f"{found.watermark:%Y-%m-%d %H:%M:%S} UTC, {_span(found.lag)} behind")
    if found.open is not None:
        grid.add_row("open window", f"{found.open.gte:%Y-%m-%d %H:%M:%S} to {found.open.lt:%Y-%m-%d %H:%M:%S}")
    grid.add_row("gaps", str(found.gaps))
    for kind, states in sorted(found.plan.items()):
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        share = f" ({found.history_done:.0%} of listed history)" if kind == "history" and found.history_done else ""
        grid.add_row(f"plan: {kind}", told + share)
    if found.paused:
        grid.add_row("plan", "paused as a whole: `plan resume`")
    reasons = ", ".join(f"{count} {reason}" for reason, count in found.dead_letters.most_common()) or "none"
    grid.add_row("dead letters", escape(reasons))
    grid.add_row("health rows waiting", str(found.health_waiting))
    if found.first_hour is not None:
        grid.add_row("ledger", f"{found.first_hour}:00 to {found.last_hour}:00, {found.hours} hours with activities")
    for each in found.streams:
        last = f"{each.state} at {each.ended_at:%Y-%m-%d %H:%M} UTC, {each.rows} rows; " if each.ended_at else ""
        grid.add_row(f"stream {each.stream}", f"{last}next snapshot due {each.due_at:%Y-%m-%d %H:%M} UTC")
    for sentence in (*found.broken, *found.trouble):
        grid.add_row("[yellow]look at[/yellow]", escape(sentence))
    console.print(grid)


@plan_app.command("list", epilog="Example: claude-bridge plan list --ended --json")
def plan_list(
    connection: Name = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also show what is done or cancelled.")] = False,
    as_json: AsJson = False,
) -> None:
    """The windows of the plan: what waits, and with --ended what is over (the newest hundred)."""

    async def work(bridge: Bridge) -> int:
        listed: list[dict[str, Any]] = []
        for each in chosen(bridge, connection):
            plan = await each.plan_store.read()
            rows = [_as_json(w) for w in plan.windows if ended or w.state in ("waiting", "incomplete")]
            listed.append({"connection": each.name, "paused": plan.paused, "windows": rows})
        if as_json:
            print_json({"plans": listed})
        else:
            for found in listed:
                _print_plan(found)
        return 0

    with_bridge(work)


def _as_json(window: PlannedWindow) -> dict[str, Any]:
    return {
        "id": window.id,
        "kind": window.kind,
        "from": window.open.gte.isoformat(),
        "to": window.open.lt.isoformat(),
        "state": "paused" if window.paused and window.state == "waiting" else window.state,
        "pages": window.open.pages,
        "read": window.read,
        "sent": window.sent,
        "note": window.note,
        "not_before": window.not_before.isoformat() if window.not_before else None,
    }


def _print_plan(found: dict[str, Any]) -> None:
    title = found["connection"] + (" (paused as a whole)" if found["paused"] else "")
    grid = Grid(
        "id", "kind", "from", "to", "state", "read", "sent", "note", title=title, title_justify="left", box=None
    )
    for row in found["windows"]:
        cells = (row[name] for name in ("id", "kind", "from", "to", "state", "read", "sent", "note"))
        grid.add_row(*(escape(str(cell).replace("+00:00", "")) for cell in cells))
    console.print(grid if found["windows"] else f"{title}: nothing is planned")


@plan_app.command("add", epilog="Example: claude-bridge plan add --from 2026-01-01 --to 2026-07-01")
def plan_add(
    start: From = None,
    end: To = None,
    kind: Annotated[
        OrderedKind,
        typer.Option(help="history carries what was never read; repair reads again and compares with the ledger."),
    ] = "history",
    connection: Name = None,
) -> None:
    """Have a period read, in windows of a day, the newest first."""

    def order(each: Connection) -> tuple[Callable[[Plan], Plan], str]:
        if start is None or end is None:
            raise ConfigError("say which period: --from and --to, such as --from 2026-01-01 --to 2026-07-01")
        period = plan_commands.checked_period(moment(start), moment(end), each.clock.now())
        told = f"{kind} of {period.gte:%Y-%m-%d %H:%M} to {period.lt:%Y-%m-%d %H:%M} is planned"
        return lambda plan: plan_commands.with_period(plan, kind, period, limit=each.pace.page_limit), told

    _carry_out(connection, order)


@plan_app.command("pause", epilog="Examples: claude-bridge plan pause, or claude-bridge plan pause 12")
def plan_pause(window_id: MaybeId = None, connection: Name = None) -> None:
    """Hold the whole plan, or one window; what it has carried stays. Live reading goes on."""
    told = "the plan is paused" if window_id is None else f"window {window_id} is paused"
    _carry_out(connection, lambda _: (lambda plan: plan_commands.paused(plan, window_id, pause=True), told))


@plan_app.command("resume", epilog="Examples: claude-bridge plan resume, or claude-bridge plan resume 12")
def plan_resume(window_id: MaybeId = None, connection: Name = None) -> None:
    """Go on with the whole plan, or with one window, where it stood."""
    told = "the plan goes on" if window_id is None else f"window {window_id} goes on (unless the whole plan is paused)"
    _carry_out(connection, lambda _: (lambda plan: plan_commands.paused(plan, window_id, pause=False), told))


@plan_app.command("cancel", epilog="Example: claude-bridge plan cancel 12")
def plan_cancel(window_id: WindowId, connection: Name = None) -> None:
    """Give one window up; what it has carried stays."""
    told = f"window {window_id} is cancelled"
    _carry_out(connection, lambda _: (lambda plan: plan_commands.cancelled(plan, window_id), told))


def _carry_out(name: str | None, order: Callable[[Connection], tuple[Callable[[Plan], Plan], str]]) -> None:
    """Change the plan of one connection; ids are a connection's own, so several need a name."""

    async def work(bridge: Bridge) -> int:
        if name is None and len(bridge.connections) + len(bridge.broken) > 1:
            names = ", ".join(each.name for each in bridge.connections)
            raise ConfigError(f"each connection has a plan of its own: say which with --connection ({names})")
        (each,) = chosen(bridge, name)
        change, told = order(each)
        await each.plan_store.update(change)
        console.print(f"{each.name}: {told}", highlight=False, markup=False)
        return 0

    with_bridge(work)


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    return f"{seconds} s" if not minutes else f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
