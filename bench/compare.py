"""The bridge and the baseline under the same fault script: `python -m bench.compare` writes build/compare.json.

Each side of each scenario runs in its own process against servers in another (`bench.comparison_server`), in simulated
time, one tick a minute. Sides: `ours`; the baseline (`bench.baseline`) that saves its time `before` the upload, as is
common; and the one that saves it `after`.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.comparison import Work
from bench.comparison_client import ComparisonServers, ServerClock, start_servers
from bench.reading import peak_megabytes
from bench.scenarios import BY_NAME, SCENARIOS

ROOT = Path(__file__).parents[1]
SIDES = ("ours", "before", "after")

console = Console()
progress = Console(stderr=True)


def measured(scenario: str, side: str, scale: float, feed: Path) -> dict[str, Any]:
    """Run one side through one scenario, in this process."""
    # Only one participant's libraries are in the process whose memory is measured.
    participant = import_module("bench.comparison_bridge" if side == "ours" else "bench.comparison_baseline")
    work = Work(due=list(BY_NAME[scenario].crashes))
    with start_servers(scenario, scale, feed) as place, tempfile.TemporaryDirectory() as folder, _clock(place) as clock:
        began = time.process_time()
        participant.run(place, clock, Path(folder), work, *(() if side == "ours" else (side,)))
        work.cpu_seconds = time.process_time() - began
        outcome = place.outcome()
    counts = {name: value for name, value in asdict(work).items() if name != "due"}
    return {"scenario": scenario, "side": side, **counts, **asdict(outcome), "peak_megabytes": peak_megabytes()}


@contextmanager
def _clock(place: ComparisonServers) -> Iterator[ServerClock]:
    clock = ServerClock(place.url)
    try:
        yield clock
    finally:
        clock.close()


def in_a_child(scenario: str, side: str, scale: float, feed: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.compare", "one", scenario, side, str(scale), str(feed)]
    child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, start_new_session=True)
    found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return found


def compared(
    scenarios: Sequence[str], scale: float, runs: int, report: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Every scenario with every side, `runs` times, alternating."""
    from bench.comparison_server import write_feed  # large import, not needed in the child processes

    found = []
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed.jsonl"
        write_feed(feed)
        for scenario in scenarios:
            for _ in range(runs):
                for side in SIDES:
                    found.append(in_a_child(scenario, side, scale, feed))
                    report(f"{scenario} {side}: {found[-1]['lost']} lost, {found[-1]['doubled']} doubled")
    return found


def table_of(found: Sequence[dict[str, Any]]) -> Table:
    columns = (
        "scenario",
        "side",
        "expected",
        "lost",
        "doubled",
        "shown_twice",
        "requests",
        "uploads",
        "peak_megabytes",
    )
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="left" if column in ("scenario", "side") else "right")
    for each in found:
        cells = (each[column] for column in columns)
        table.add_row(*(cell if isinstance(cell, str) else f"{cell:,.0f}" for cell in cells))
    return table


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option(help=f"Only this scenario: {', '.join(BY_NAME)}.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each scenario; losses are the same every time.")] = 3,
    scale: Annotated[float, typer.Option(min=0.001, help="Scale of the bursts, for a quick check.")] = 1.0,
    out: Annotated[Path, typer.Option(help="Output file.")] = Path("build/compare.json"),
) -> None:
    """Compare the bridge and the baseline under the same faults; the scenarios are in bench/scenarios.py."""
    if context.invoked_subcommand is not None:
        return
    if unknown := set(only or ()) - BY_NAME.keys():
        progress.print(f"unknown scenario {', '.join(sorted(unknown))}; choose from: {', '.join(BY_NAME)}")
        raise typer.Exit(2)
    names = [scenario.name for scenario in SCENARIOS if only is None or scenario.name in only]
    found = compared(names, scale, runs, lambda line: progress.print(line, highlight=False))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"scale": scale, "runs": runs, "outcomes": found}, indent=1) + "\n", encoding="utf-8")
    console.print(table_of(found))
    console.print(f"written: {out}", highlight=False)


@app.command(hidden=True)
def one(scenario: str, side: str, scale: float, feed: Path) -> None:
    """One measurement in this process, printed as a line of JSON."""
    logging.getLogger().setLevel(logging.CRITICAL)  # what fails is counted
    print(json.dumps(measured(scenario, side, scale, feed)))


if __name__ == "__main__":
    app()
