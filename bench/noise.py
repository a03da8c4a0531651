"""How often the rules fire without incidents: `python -m bench.noise` writes build/noise.json and prints a table.

A tenant of 20,000 people without incidents lives some quiet days, beside a collector like Purview's own. What is
counted are alerts, each row of an answer, over working days; a month has 21 of them and weekends are left out, since
they are quieter. Rules that read other products' tables see empty ones, and count nothing here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kql import KqlRefused, LocalWorkspace
from sandbox.tenant import Simulation
from sentinel.tools.backtest import engine
from sentinel.tools.backtest.engine import Past
from sentinel.tools.check.bind import Bound
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.prove.verdict import bound_queries
from shared import __version__, tables
from shared.clock import SimulatedClock
from shared.streams.activity.fold import RowContext, fold

WORKING_DAYS = 21
HIGH_A_DAY = 5
PORTION = 5000
FIRST = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)

console = Console()


@dataclass(frozen=True, slots=True)
class Noise:
    """One rule: runs that had something new, alerts in them, what that is in a month, and what its file allows."""

    slug: str
    severity: str
    runs: int
    alerts: int
    a_month: float
    expected: float
    needs_neighbors: bool
    refused: str | None = None

    @property
    def too_noisy(self) -> bool:
        """More than expected, and more than one alert, which may be chance."""
        return self.a_month > self.expected and self.alerts > 1


def quiet(people: int, days: int, seed: int, types: Iterable[str] | None, *, stories: bool = False) -> LocalWorkspace:
    """A workspace with the activities of a tenant on `days` working days since FIRST, without its storylines.

    Through the real normalizer, as history; only `types`, where given. With `stories` it is not quiet at all.
    """
    workspace = LocalWorkspace.create(None, SimulatedClock(FIRST), [tables.load(name) for name in tables.table_names()])
    decode = msgspec.json.Decoder().decode
    wanted = None if types is None else frozenset(types)
    context = RowContext("noise", "0a1b2c3d-0000-4000-8000-00000000be4c", __version__, "backfill", True, FIRST)
    simulation = Simulation(start=FIRST, end=FIRST + days * DAY, people=people, seed=seed)
    excluded = {id for storyline in simulation.storylines for id in storyline.activity_ids} if not stories else set()
    entries = (entry for entry in chain.from_iterable(simulation.days()) if wanted is None or entry.type in wanted)
    rows = (fold(decode(entry.body), context).row for entry in entries if entry.id not in excluded)
    while portion := list(islice(rows, PORTION)):
        workspace.store(tables.ACTIVITY, portion, ingested_at=FIRST)
    return workspace


def known(people: int, days: int, seed: int) -> list[dict[str, str]]:
    """Watchlist entries of such a customer: its known keys."""
    simulation = Simulation(start=FIRST, end=FIRST + days * DAY, people=people, seed=seed)
    return [
        {
            "WatchlistAlias": "ClaudeApprovedKeys",
            "SearchKey": key.id,
            "KeyId": key.id,
            "Owner": key.name,
        }
        for key in simulation.company.keys
    ]


def measured(
    people: int, days: int, seed: int = 7, *, stories: bool = False, only: frozenset[str] = frozenset()
) -> Iterator[Noise]:
    """The noise of every executed rule, or of those in `only`."""
    every = (content.rule(path) for path in content.rule_paths() if not only or path.stem in only)
    files = [file for file in every if file.value.execution == "executed"]
    bound = bound_queries(files)
    types = engine.types_read(bound.values())
    workspace = quiet(people, days, seed, types, stories=stories)
    past = Past(workspace, types=types, lists=known(people, days, seed))
    workspace.close()
    for file in files:
        yield noise(past, file, bound[file.slug], days)
    past.close()


def noise(past: Past, file: File[Rule], bound: Bound, days: int) -> Noise:
    """The noise of one rule. A rule that looks back more than a day is measured on the last day alone."""
    rule = file.value
    measured_days = 1 if rule.query_period > DAY else days
    end = FIRST + days * DAY
    start = end - measured_days * DAY
    alerts, refused = 0, None
    try:
        alerts = sum(len(fired.rows) for fired in past.fired(file, bound, start, end))
    except KqlRefused as exc:
        refused = str(exc)
    return Noise(
        file.slug,
        rule.severity,
        len(past.moments(rule, bound, start, end)),
        alerts,
        round(alerts / measured_days * WORKING_DAYS, 1),
        rule.expected_per_month,
        bool(engine.joins_of(bound)),
        refused,
    )


def high_a_day(found: Sequence[Noise]) -> float:
    """Alerts of all High rules together on one quiet working day."""
    return sum(each.a_month for each in found if each.severity == "High") / WORKING_DAYS


def table_of(found: Sequence[Noise]) -> Table:
    """The results, the noisiest relative to their limits first."""
    table = Table("rule", "severity", "runs", "alerts", "a month", "expected", "", box=None)
    for each in sorted(found, key=lambda each: (not each.too_noisy, -each.a_month, each.slug)):
        verdict = "refused" if each.refused else "TOO NOISY" if each.too_noisy else ""
        counts = (str(each.runs), str(each.alerts), f"{each.a_month:g}", f"{each.expected:g}")
        table.add_row(each.slug, each.severity, *counts, verdict)
    return table


def as_json(found: Sequence[Noise], people: int, days: int) -> dict[str, Any]:
    return {
        "people": people,
        "days": days,
        "high_a_day": high_a_day(found),
        "high_a_day_limit": HIGH_A_DAY,
        "too_noisy": [each.slug for each in found if each.too_noisy],
        "rules": [asdict(each) for each in found],
    }


def main(
    people: Annotated[int, typer.Option(min=20, help="People of the tenant.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, max=5, help="Working days to simulate.")] = 2,
    seed: Annotated[int, typer.Option(help="Random seed of the simulated tenant.")] = 7,
    out: Annotated[Path, typer.Option(help="Output file.")] = Path("build/noise.json"),
) -> None:
    """Count the alerts of a tenant without incidents, and compare them with each rule's limit."""
    found = []
    for each in measured(people, days, seed):
        found.append(each)
        Console(stderr=True).print(f"{each.slug}: {each.alerts}", highlight=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(as_json(found, people, days), indent=2) + "\n", encoding="utf-8")
    console.print(table_of(found))
    console.print(f"High rules together: {high_a_day(found):.1f} a day, limit {HIGH_A_DAY}", highlight=False)
    if any(each.too_noisy for each in found) or high_a_day(found) > HIGH_A_DAY:
        raise typer.Exit(1)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(main)


if __name__ == "__main__":
    app()
