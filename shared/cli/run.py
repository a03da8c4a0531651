"""`init`, `run` and `replay`: what the timers do, by hand."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, NoReturn

import typer

from shared.cli.common import Name, chosen, console, report, with_bridge
from shared.errors import InvalidCommand, SinkRefused
from shared.runs import live
from shared.runs.connection import Connection
from shared.runs.last_turns import PLAN, POLL
from shared.runs.turns import REPLAY, take_turns
from shared.state import plan as plans
from shared.wiring import Bridge


def init(
    connection: Name = None,
    history_days: Annotated[int, typer.Option(min=0, max=2200, help="Also plan this many days of history.")] = 0,
    force: Annotated[bool, typer.Option(help="Initialize again over existing state; the ledger is kept.")] = False,
) -> None:
    """Initialize a connection: live reading starts now, history goes into the plan. No effect if done already."""

    async def initialize(each: Connection) -> str:
        new = await live.init(each, force=force)
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
        done = "initialized: live reading starts now" if new else "already initialized, its state is kept"
        return done + ("; the first row arrived in the workspace" if arrived else "") + planned

    async def work(bridge: Bridge) -> int:
        for each in chosen(bridge, connection):
            console.print(f"{each.name}: {await initialize(each)}")
        return 0

    with_bridge(work)


def run(
    once: Annotated[bool, typer.Option("--once", help="Run once and exit (the default).")] = False,
    every: Annotated[
        int | None, typer.Option(min=10, help="Run every so many seconds until Ctrl-C (the timers: 60).")
    ] = None,
    connection: Name = None,
) -> None:
    """One live run and one turn of the plan, with your own sign-in, on the same state and leases as the timers."""

    async def work(bridge: Bridge) -> int:
        if once and every is not None:
            raise InvalidCommand("--once and --every contradict each other: leave one out")
        some = chosen(bridge, connection)
        if every is None:
            code = report([*await take_turns(some, POLL), *await take_turns(some, PLAN)])
            return max(code, 1 if connection is None and bridge.broken else 0)
        # Apart, as the timers are: a long turn of the plan must not delay live reading.
        pause = timedelta(seconds=every)
        await asyncio.gather(*(repeated(some, name, pause) for name in (POLL, PLAN)))
        return 0

    with_bridge(work)


async def repeated(connections: Sequence[Connection], name: str, every: timedelta) -> NoReturn:
    """A turn every `every`, from start to start, however it ends; one that took longer is followed at once."""
    clock = connections[0].clock
    while True:
        following = clock.now() + every
        report(await take_turns(connections, name), idle=False)
        await clock.sleep(max(0.0, (following - clock.now()).total_seconds()))


def replay(connection: Name = None) -> None:
    """Send dead letters again; what is refused again stays a dead letter."""

    async def work(bridge: Bridge) -> int:
        return report(await take_turns(chosen(bridge, connection), REPLAY))

    with_bridge(work)
