"""`init`, `run` and `replay`: the bridge's own walks, by hand."""

from datetime import timedelta
from typing import Annotated

import typer

from shared import live
from shared.cli.common import Name, chosen, console, only, report, with_bridge
from shared.connection import Connection
from shared.errors import SinkRefused
from shared.plan_keeper import PlanKeeper
from shared.progress import plan as plans
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
            await PlanKeeper(each).update(lambda plan: plans.with_history(plan, start, now))
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


def run(connection: Name = None) -> None:
    """One live run and one turn of the plan, with your own sign-in: same state and leases as the timers."""

    async def work(bridge: Bridge) -> int:
        chosen = only(bridge, connection)
        code = report([*await chosen.poll(), *await chosen.work_plan()])
        return max(code, 1 if connection is None and bridge.broken else 0)

    with_bridge(work)


def replay(connection: Name = None) -> None:
    """Send again what was set aside; what is refused once more stays where it is."""

    async def work(bridge: Bridge) -> int:
        return report(await only(bridge, connection).replay())

    with_bridge(work)
