"""`prove`: the operator's proof that nothing is missing, and the repair when something is."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from shared.cli.common import AsJson, From, Name, To, bar, chosen, complain, console, moment, print_json, with_bridge
from shared.errors import ConfigError
from shared.models import Window
from shared.runs.connection import Connection
from shared.runs.plan_commands import checked_period
from shared.runs.prove import CLOSED_FOR, HourProof, Proof
from shared.runs.prove import prove as prove_period
from shared.runs.run import Run
from shared.wiring import Bridge

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STYLE = {"proved": "green", "surplus": "yellow", "incomplete": "red", "missing": "red"}


def prove(
    start: From = None,
    end: To = None,
    repair: Annotated[bool, typer.Option("--repair", help="Send again what is missing.")] = False,
    connection: Name = None,
    as_json: AsJson = False,
) -> None:
    """Compare feed, ledger and workspace for every closed hour; yesterday unless told otherwise. Exit 1 on a gap."""

    async def work(bridge: Bridge) -> int:
        proofs = []
        for each in chosen(bridge, connection):
            hours = closed_hours(start, end, each.clock.now())
            proofs.append((each, *await _by_day(each, hours, repair=repair)))
        if as_json:
            print_json({"connections": [_as_json(*proved) for proved in proofs]})
        else:
            for each, _, proof in proofs:
                _print(each, proof, repair=repair)
        for each, run, _ in proofs:
            if run.error is not None:
                complain(f"{each.name}: the proof stopped: {run.error}")
        return 0 if all(run.error is None and proof.holds for _, run, proof in proofs) else 1

    with_bridge(work)


def closed_hours(start: str | None, end: str | None, now: datetime) -> Window:
    """The whole hours of the period that have been closed for half an hour; ConfigError when there is none.

    Without bounds it is yesterday (UTC); with one of them, the day after or before it.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = moment(start) if start is not None else None
    last = moment(end) if end is not None else midnight if first is None else min(first + DAY, now)
    period = checked_period(first if first is not None else last - DAY, last, now)
    gte = (period.gte + HOUR - timedelta(microseconds=1)).replace(minute=0, second=0, microsecond=0)
    lt = min(period.lt, now - CLOSED_FOR).replace(minute=0, second=0, microsecond=0)
    if gte >= lt:
        raise ConfigError("no whole hour of that period has been closed for half an hour: choose an earlier one")
    return Window(gte, lt)


async def _by_day(connection: Connection, hours: Window, *, repair: bool) -> tuple[Run, Proof]:
    """Prove day by day: a run each, so that one shows progress, and what is proved stays proved when one stops."""
    proof = Proof()
    with bar() as progress:
        task = progress.add_task(f"proving {connection.name}", total=-(-(hours.lt - hours.gte) // DAY))
        at = hours.gte
        while True:
            end = min(hours.lt, at + DAY)
            run, part = await prove_period(connection, at, end, repair=repair)
            proof.hours += part.hours
            proof.repaired += part.repaired
            progress.advance(task)
            at = end
            if at >= hours.lt or run.error is not None:
                return run, proof


def _as_json(connection: Connection, run: Run, proof: Proof) -> dict[str, Any]:
    return {
        "connection": connection.name,
        "holds": proof.holds and run.error is None,
        "workspace_asked": connection.workspace is not None,
        "repaired": proof.repaired,
        "state": run.state,
        "hours": [{**asdict(hour), "verdict": hour.verdict, "lacking": hour.lacking} for hour in proof.hours],
    }


def _print(connection: Connection, proof: Proof, *, repair: bool) -> None:
    grid = Grid(title=connection.name, title_justify="left", box=None, pad_edge=False)
    for name in ("hour (UTC)", "feed", "delivered", "set aside", "counted", "workspace", "verdict"):
        grid.add_column(name, justify="left" if name in ("hour (UTC)", "verdict") else "right")
    for hour in proof.hours:
        grid.add_row(*_cells(hour))
    console.print(grid)
    console.print(_summary(proof), highlight=False, markup=False)
    if connection.workspace is None:
        console.print("The workspace column was not checked: WORKSPACE_ID is not set.", style="yellow")
    if proof.repaired:
        console.print(f"{proof.repaired} rows were sent: prove again in 15 minutes, when they can be queried.")
    elif repair and not proof.holds:
        console.print("Nothing could be sent: what is incomplete or set aside needs its own remedy (`status`).")
    elif not proof.holds:
        console.print("To mend it: `prove --repair` for these hours, or `plan add` for a period never read.")


def _cells(hour: HourProof) -> tuple[str, ...]:
    rows = "-" if hour.rows is None else str(hour.rows)
    verdict = f"[{STYLE[hour.verdict]}]{hour.verdict}[/]" + (f" ({hour.lacking})" if hour.lacking else "")
    counts = (str(count) for count in (hour.feed, hour.sent, hour.dead, hour.counted))
    return (str(hour.hour).replace("T", " ") + ":00", *counts, rows, verdict)


def _summary(proof: Proof) -> str:
    verdicts = [hour.verdict for hour in proof.hours]
    good = verdicts.count("proved") + verdicts.count("surplus")
    missing = sum(hour.lacking for hour in proof.hours)
    feed = sum(hour.feed for hour in proof.hours)
    told = f"{good} of {len(verdicts)} hours hold; the feed shows {feed} activities"
    if missing:
        told += f", {missing} are missing"
    if "incomplete" in verdicts:
        told += f"; in {verdicts.count('incomplete')} hours the feed showed less than was delivered"
    if "surplus" in verdicts:
        told += f"; {verdicts.count('surplus')} hours have more rows than the ledger knows (`rebuild` mends that)"
    return told + "."
