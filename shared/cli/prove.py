"""`prove`: the operator's proof that nothing is missing, and the repair when something is."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from shared.cli.common import AsJson, From, Name, To, bar, chosen, complain, console, print_json, with_bridge
from shared.models import Window
from shared.rows.times import moment
from shared.runs.connection import Connection
from shared.runs.prove import HourProof, Proof, days_of, period_to_prove
from shared.runs.prove import prove as prove_period
from shared.runs.run import Run
from shared.wiring import Bridge

STYLE = {"proved": "green", "surplus": "yellow", "incomplete": "red", "missing": "red"}


def prove(
    start: From = None,
    end: To = None,
    repair: Annotated[bool, typer.Option("--repair", help="Send again what is missing.")] = False,
    connection: Name = None,
    as_json: AsJson = False,
) -> None:
    """Compare feed, ledger and workspace for every closed hour; yesterday by default. Exit 1 unless all are proved."""

    async def work(bridge: Bridge) -> int:
        proofs = []
        bounds = (moment(start) if start is not None else None, moment(end) if end is not None else None)
        for each in chosen(bridge, connection):
            hours = period_to_prove(*bounds, each.clock.now())
            proofs.append((each, *await _by_day(each, hours, repair=repair)))
        if as_json:
            print_json({"connections": [_as_json(*each) for each in proofs]})
        else:
            for each, _, proof in proofs:
                _print(each, proof, repair=repair)
        for each, run, _ in proofs:
            if run.error is not None:
                complain(f"{each.name}: the proof stopped: {run.error}")
        return 0 if all(run.error is None and proof.proved for _, run, proof in proofs) else 1

    with_bridge(work)


async def _by_day(connection: Connection, hours: Window, *, repair: bool) -> tuple[Run, Proof]:
    """Prove day by day: a run each, so that one shows progress, and what is proved stays proved when one stops."""
    proof, days = Proof(), list(days_of(hours))
    with bar() as progress:
        task = progress.add_task(f"proving {connection.name}", total=len(days))
        for day in days:
            run, part = await prove_period(connection, day, repair=repair)
            proof.hours += part.hours
            proof.repaired += part.repaired
            progress.advance(task)
            if run.error is not None:
                break
    return run, proof


def _as_json(connection: Connection, run: Run, proof: Proof) -> dict[str, Any]:
    return {
        "connection": connection.name,
        "proved": proof.proved and run.error is None,
        "workspace_asked": connection.workspace is not None,
        "repaired": proof.repaired,
        "state": run.state,
        "hours": [{**asdict(hour), "verdict": hour.verdict, "lacking": hour.lacking} for hour in proof.hours],
    }


def _print(connection: Connection, proof: Proof, *, repair: bool) -> None:
    grid = Grid(title=connection.name, title_justify="left", box=None, pad_edge=False)
    for name in ("hour (UTC)", "feed", "delivered", "dead letters", "counted", "workspace", "verdict"):
        grid.add_column(name, justify="left" if name in ("hour (UTC)", "verdict") else "right")
    for hour in proof.hours:
        grid.add_row(*_cells(hour))
    console.print(grid)
    console.print(_summary(proof), highlight=False, markup=False)
    if connection.workspace is None:
        console.print("The workspace column was not checked: WORKSPACE_ID is not set.", style="yellow")
    if proof.repaired:
        console.print(f"{proof.repaired} rows were sent: prove again in 15 minutes, when they can be queried.")
    elif repair and not proof.proved:
        console.print("Nothing could be sent: incomplete hours and dead letters need their own remedy (`status`).")
    elif not proof.proved:
        console.print("To fix it: `prove --repair` for these hours, or `plan add` for a period never read.")


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
    summary = f"{good} of {len(verdicts)} hours are proved; the feed shows {feed} activities"
    if missing:
        summary += f", {missing} are missing"
    if "incomplete" in verdicts:
        summary += f"; in {verdicts.count('incomplete')} hours the feed showed less than was delivered"
    if "surplus" in verdicts:
        summary += f"; {verdicts.count('surplus')} hours have more rows than the ledger lists (`rebuild` fixes that)"
    return summary + "."
