"""`rebuild`: a lost ledger, restored from the workspace."""

from typing import Annotated, Literal

import typer

from shared.cli.common import Name, chosen, console, with_bridge
from shared.cli.printing import bar, complain
from shared.rebuild import rebuild as rebuild_ledger
from shared.wiring import Bridge


def rebuild(
    source: Annotated[Literal["workspace"], typer.Option("--from", help="Where the ids are.")],
    days: Annotated[int, typer.Option(min=1, max=2200, help="How many days back, today included.")],
    connection: Name = None,
) -> None:
    """Write down again which ids were delivered; may be stopped and run again, and then changes nothing twice."""

    async def work(bridge: Bridge) -> int:
        code = 0
        for each in chosen(bridge, connection):
            with bar() as progress:
                task = progress.add_task(f"rebuilding {each.name}", total=days)

                def tell(_: object, progress: object = progress, task: object = task) -> None:
                    progress.advance(task)  # type: ignore[attr-defined]

                run, done = await rebuild_ledger(each, days, tell)
            if run.error is not None:
                complain(f"{each.name}: stopped, run it again to go on: {run.error}")
                code = 1
            aside = f", {done.aside} as set aside" if done.aside else ""
            console.print(
                f"{each.name}: {done.looked} hours compared, {done.restored} ids restored as delivered{aside}",
                highlight=False,
                markup=False,
            )
        return code

    with_bridge(work)
