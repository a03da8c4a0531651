"""`status` and `plan`: where the connections stand, and what is to be read besides live reading."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table as Grid

from shared.cli.common import AsJson, From, Name, To, chosen, console, print_json, with_bridge
from shared.clock import SystemClock
from shared.rows.times import moment
from shared.runs.plan_commands import Action, AddedKind, Command, carry_out, list_plans
from shared.runs.status import Status, report
from shared.wiring import Bridge

plan_app = typer.Typer(help="History, sweeps and repairs: list, add, pause, resume, cancel.", no_args_is_help=True)

WindowId = Annotated[int, typer.Argument(metavar="ID", min=1, help="A window's id, as `plan list` shows it.")]
MaybeId = Annotated[int | None, typer.Argument(metavar="[ID]", min=1, help="One window; without it, the whole plan.")]


def status(connection: Name = None, as_json: AsJson = False) -> None:
    """Where every connection stands, from its state alone. Exit code 1 when attention is required."""

    async def work(bridge: Bridge) -> int:
        broken = bridge.broken if connection is None else ()
        found = await report(bridge.chosen(connection), broken, SystemClock().now(), ledger=True)
        if as_json:
            print_json(found.as_json())
        else:
            for each in found.connections:
                _print_status(each)
        return 0 if found.healthy else 1

    with_bridge(work)


def _print_status(found: Status) -> None:
    grid = Grid(title=found.connection, title_justify="left", show_header=False, box=None, pad_edge=False)
    grid.add_row("initialized", "yes" if found.watermark else "no")
    if found.watermark is not None and found.lag is not None:
        grid.add_row("watermark", f"{found.watermark:%Y-%m-%d %H:%M:%S} UTC, {_span(found.lag)} behind")
    if found.open is not None:
        grid.add_row("open window", f"{found.open.gte:%Y-%m-%d %H:%M:%S} to {found.open.lt:%Y-%m-%d %H:%M:%S}")
    grid.add_row("gaps", str(found.gaps))
    for kind, states in sorted(found.plan.items()):
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        share = f" ({found.history_done:.0%} of listed history)" if kind == "history" and found.history_done else ""
        grid.add_row(f"plan: {kind}", counts + share)
    if found.paused:
        grid.add_row("plan", "paused as a whole: `plan resume`")
    reasons = ", ".join(f"{count} {reason}" for reason, count in found.dead_letters.most_common()) or "none"
    grid.add_row("dead letters", escape(reasons))
    grid.add_row("health rows waiting", str(found.health_waiting))
    if hours := found.ledger:
        grid.add_row("ledger", f"{hours[0]}:00 to {hours[-1]}:00, {len(hours)} hours with activities")
    for timer, turn in found.last_turns.items():
        grid.add_row(timer, f"{turn.kind} ended {turn.state} at {turn.ended_at:%Y-%m-%d %H:%M} UTC")
    for each in found.streams:
        ended = each.last
        last = f"{ended.state} at {ended.ended_at:%Y-%m-%d %H:%M} UTC, {ended.sent} rows; " if ended else ""
        grid.add_row(f"stream {each.stream}", f"{last}next snapshot due {each.due_at:%Y-%m-%d %H:%M} UTC")
    for sentence in found.problems:
        grid.add_row("[yellow]problem[/yellow]", escape(sentence))
    console.print(grid)


@plan_app.command("list", epilog="Example: claude-bridge plan list --ended --json")
def plan_list(
    connection: Name = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also show what is done or cancelled.")] = False,
    as_json: AsJson = False,
) -> None:
    """The windows of the plan: what is waiting, and with --ended what is over (the newest hundred)."""

    async def work(bridge: Bridge) -> int:
        listed = await list_plans(chosen(bridge, connection), ended=ended)
        if as_json:
            print_json({"plans": listed})
        else:
            for found in listed:
                _print_plan(found)
        return 0

    with_bridge(work)


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
        AddedKind,
        typer.Option(help="history: a period never read; repair: read it again and compare with the ledger."),
    ] = "history",
    connection: Name = None,
) -> None:
    """Schedule a period, in windows of a day, the newest first."""
    _carry_out(connection, f"{kind} is planned", "add", kind=kind, start=start, end=end)


@plan_app.command("pause", epilog="Examples: claude-bridge plan pause, or claude-bridge plan pause 12")
def plan_pause(window_id: MaybeId = None, connection: Name = None) -> None:
    """Pause the whole plan, or one window; live reading goes on."""
    _carry_out(connection, "paused", "pause", window_id)


@plan_app.command("resume", epilog="Examples: claude-bridge plan resume, or claude-bridge plan resume 12")
def plan_resume(window_id: MaybeId = None, connection: Name = None) -> None:
    """Resume the whole plan, or one window, where it stopped."""
    _carry_out(connection, "resumed", "resume", window_id)


@plan_app.command("cancel", epilog="Example: claude-bridge plan cancel 12")
def plan_cancel(window_id: WindowId, connection: Name = None) -> None:
    """Cancel a window; what it has delivered stays."""
    _carry_out(connection, "cancelled", "cancel", window_id)


def _carry_out(
    name: str | None,
    done: str,
    action: Action,
    window: int | None = None,
    *,
    kind: AddedKind = "repair",
    start: str | None = None,
    end: str | None = None,
) -> None:
    """Change the plans of the chosen connections, all or none, and print them."""

    async def work(bridge: Bridge) -> int:
        bounds = (moment(start) if start is not None else None, moment(end) if end is not None else None)
        for plan in await carry_out(chosen(bridge, name), Command(action, window, kind, *bounds)):
            what = "plan" if window is None else f"window {window}"
            note = "; the whole plan is paused" if plan["paused"] and action != "pause" else ""
            console.print(f"{plan['connection']}: {what} {done}{note}", highlight=False, markup=False)
        return 0

    with_bridge(work)


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    return f"{seconds} s" if not minutes else f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
