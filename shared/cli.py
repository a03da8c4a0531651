"""The operator's door: the same code as the timers, by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from shared import live, telemetry
from shared.connection import GOOD_STATES, Connection
from shared.errors import BridgeError, ConfigError, SinkRefused
from shared.health import Run
from shared.planned import PlanKeeper
from shared.progress import plan as plans
from shared.settings import load
from shared.wiring import Bridge, build

app = typer.Typer(
    help="Operate the bridge from Claude's Compliance API to Log Analytics. Settings come from the environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

Name = Annotated[str | None, typer.Option("--connection", help="Only this connection; default: all of them.")]


@app.command(epilog="Example: python -m shared.cli init --history-days 90")
def init(
    connection: Name = None,
    history_days: Annotated[int, typer.Option(min=0, max=2200, help="Also plan this many days of history.")] = 0,
    force: Annotated[bool, typer.Option(help="Begin anew over state that exists; the ledger is kept.")] = False,
) -> None:
    """Begin a connection: live reading starts now, history goes into the plan. Does nothing when it began before."""

    async def begin(each: Connection) -> str:
        begun = await live.init(each, force=force)
        if history_days:
            now = each.clock.now()
            start = (now - timedelta(days=history_days)).replace(hour=0, minute=0, second=0, microsecond=0)
            await PlanKeeper(each).update(lambda plan: plans.with_history(plan, start, now))
        arrived = await live.send_canary(each) if begun else None
        if arrived is False:
            raise SinkRefused(
                "the first row was accepted and did not arrive in twenty minutes: compare the DCR's stream, its output "
                "table and the table's columns with this release, then run init again"
            )
        planned = f"; {history_days} days of history are planned" if history_days else ""
        words = "begun: live reading starts now" if begun else "had begun before, its place is kept"
        return words + ("; the first row arrived in the workspace" if arrived else "") + planned

    async def work(bridge: Bridge) -> int:
        for each in _chosen(bridge, connection):
            console.print(f"{each.name}: {await begin(each)}")
        return 0

    _with_bridge(work)


@app.command(epilog="Example: python -m shared.cli run")
def run(connection: Name = None) -> None:
    """One live run and one turn of the plan, with your own sign-in: same state and leases as the timers."""

    async def work(bridge: Bridge) -> int:
        chosen = _only(bridge, connection)
        return _report([*await chosen.poll(), *await chosen.work_plan()])

    _with_bridge(work)


@app.command(epilog="Example: python -m shared.cli replay --connection contoso")
def replay(connection: Name = None) -> None:
    """Send again what was set aside; what is refused once more stays where it is."""

    async def work(bridge: Bridge) -> int:
        return _report(await _only(bridge, connection).replay())

    _with_bridge(work)


def _chosen(bridge: Bridge, name: str | None) -> tuple[Connection, ...]:
    if name is not None:
        return (bridge.connection(name),)
    for broken, error in bridge.broken:
        errors.print(f"{broken}: {error}", style="yellow", highlight=False, soft_wrap=True)
    return bridge.connections


def _only(bridge: Bridge, name: str | None) -> Bridge:
    return Bridge(_chosen(bridge, name), ())


def _report(runs: list[Run]) -> int:
    """Print what the runs did; 1 when one of them failed."""
    grid = Grid("walk", "state", "read", "sent", "repeated", "set aside", "remedy", box=None, pad_edge=False)
    for each in runs:
        tally = each.tally
        remedy = telemetry.safe(str(each.error)) if each.error else ""
        counts = (str(count) for count in (tally.read, tally.sent, tally.repeated, tally.aside))
        grid.add_row(each.walk, each.state, *counts, remedy)
    console.print(grid)
    return 0 if all(each.state in GOOD_STATES for each in runs) else 1


def _with_bridge(work: Callable[[Bridge], Awaitable[int]]) -> None:
    """Run `work` with the bridge the environment describes; our own errors end in one sentence and exit code 1."""

    async def go() -> int:
        settings = load()
        # A person is reading: the table says what happened, the log only what went wrong, unless it was asked for.
        telemetry.configure(settings.log_level if "log_level" in settings.model_fields_set else "WARNING")
        async with build(settings) as bridge:
            return await work(bridge)

    try:
        code = asyncio.run(go())
    except ConfigError as wrong:
        errors.print(f"cannot start: {wrong}", style="red", highlight=False, soft_wrap=True)
        code = 2
    except BridgeError as wrong:
        errors.print(f"stopped: {telemetry.safe(str(wrong))}", style="red", highlight=False, soft_wrap=True)
        code = 1
    except KeyboardInterrupt:
        errors.print("stopped; the place is saved and the next run goes on from it")
        code = 130
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
