"""`init`, `run` and `replay`: the bridge's own walks, by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, NoReturn

import typer

from shared.cli.common import Name, chosen, console, only, report, with_bridge
from shared.clock import Clock
from shared.errors import ConfigError, SinkRefused
from shared.runs import live
from shared.runs.connection import Connection
from shared.runs.run import Run
from shared.state import plan as plans
from shared.wiring import Bridge


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
            await each.plan_store.update(lambda plan: plans.with_history(plan, start, now, limit=each.pace.page_limit))
        arrived = await live.send_canary(each)
        if arrived is False:
            raise SinkRefused(
                "the first row was accepted and did not arrive in twenty minutes: compare the DCR's stream, its output "
                "table and the table's columns with this release, then run init again"
            )
        planned = f"; {history_days} days of history are planned" if history_days else ""
        words = "begun: live reading starts now" if begun else "had begun before, its place is kept"
        return words + ("; the first row arrived in the workspace" if arrived else "") + planned

    async def work(bridge: Bridge) -> int:
        for each in chosen(bridge, connection):
            console.print(f"{each.name}: {await begin(each)}")
        return 0

    with_bridge(work)


def run(
    once: Annotated[bool, typer.Option("--once", help="One pass, then exit; this is what happens anyway.")] = False,
    every: Annotated[
        int | None, typer.Option(min=10, help="Instead: a pass every so many seconds until Ctrl-C (the timers: 60).")
    ] = None,
    connection: Name = None,
) -> None:
    """One live run and one turn of the plan, with your own sign-in: same state and leases as the timers."""

    async def work(bridge: Bridge) -> int:
        if once and every is not None:
            raise ConfigError("--once and --every contradict each other: leave one out")
        chosen = only(bridge, connection)
        if every is None:
            code = report([*await chosen.poll(), *await chosen.work_plan()])
            return max(code, 1 if connection is None and bridge.broken else 0)
        clock, pause = chosen.connections[0].clock, timedelta(seconds=every)
        # Apart, as the timers are: a long turn of the plan must not hold up what happens now.
        await asyncio.gather(repeated(chosen.poll, clock, pause), repeated(chosen.work_plan, clock, pause))
        return 0

    with_bridge(work)


async def repeated(walk: Callable[[], Awaitable[list[Run]]], clock: Clock, every: timedelta) -> NoReturn:
    """`walk` every `every`, from start to start, however it ends; one that took longer is followed at once."""
    while True:
        following = clock.now() + every
        if runs := await walk():
            report(runs)
        await clock.sleep(max(0.0, (following - clock.now()).total_seconds()))


def replay(connection: Name = None) -> None:
    """Send again what was set aside; what is refused once more stays where it is."""

    async def work(bridge: Bridge) -> int:
        return report(await only(bridge, connection).replay())

    with_bridge(work)
