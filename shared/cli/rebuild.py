"""`rebuild`: a lost ledger, restored from the workspace."""

from typing import Annotated, Literal

import typer

from shared.cli.common import Name, bar, chosen, complain, console, with_bridge
from shared.runs.connection import Connection
from shared.runs.rebuild import rebuild as rebuild_ledger
from shared.wiring import Bridge


def rebuild(
    source: Annotated[Literal["workspace"], typer.Option("--from", help="Where the ids are.")],
    days: Annotated[int, typer.Option(min=1, max=2200, help="How many days back, today included.")],
    connection: Name = None,
) -> None:
    """Rebuild the ledger from the workspace. Safe to interrupt and run again."""

    async def work(bridge: Bridge) -> int:
        whole = [await _rebuilt(each, days) for each in chosen(bridge, connection)]
        return 0 if all(whole) else 1

    with_bridge(work)


async def _rebuilt(connection: Connection, days: int) -> bool:
    with bar() as progress:
        task = progress.add_task(f"rebuilding {connection.name}", total=days)
        run, done = await rebuild_ledger(connection, days, lambda _: progress.advance(task))
    dead = f", {done.dead} as dead letters" if done.dead else ""
    summary = f"{done.looked} hours compared, {done.restored} ids restored as delivered{dead}"
    console.print(f"{connection.name}: {summary}", highlight=False)
    if run.error is not None:
        complain(f"{connection.name}: stopped, run it again to resume: {run.error}")
    return run.error is None
