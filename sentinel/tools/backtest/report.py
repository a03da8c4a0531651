"""The report of a backtest: how often each rule would have fired, when, and about how many subjects."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Column, Table

from kql import KqlRefused
from sentinel.tools.backtest import engine
from sentinel.tools.backtest.engine import Past
from sentinel.tools.backtest.reading import JOIN, Source, nobody_listens, watchlists
from sentinel.tools.check.bind import Bound
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule

TOP = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One rule. `not_run` says why it was not; `subjects` are the alerts of each, the most first.

    `without` names the tables of other products that the rule reads and that had no row.
    """

    slug: str
    severity: str
    alerts: int
    first: datetime | None
    last: datetime | None
    subjects: tuple[tuple[str, int], ...]
    not_run: str | None = None
    without: tuple[str, ...] = ()

    def as_json(self, *, show_subjects: bool) -> dict[str, Any]:
        """Subjects are people's addresses more often than not: their names only when asked for."""
        counts = [count for _, count in self.subjects]
        return {
            "rule": self.slug,
            "severity": self.severity,
            "alerts": self.alerts,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "subjects": len(counts),
            "top": dict(self.subjects[:TOP]) if show_subjects else counts[:TOP],
            "not_run": self.not_run,
            "without": list(self.without),
        }


def run_backtest(
    source: Source,
    files: Iterable[File[Rule]],
    bound: dict[str, Bound],
    start: datetime,
    end: datetime,
    *,
    neighbors: bool = True,
    tell: Callable[[str, int], None] = nobody_listens,
) -> Iterator[Line]:
    """A line for each rule over `(start, end]`, as soon as it is known; `tell` hears what is read before.

    Without `neighbors` the tables of other products are not read, and rules that need them are not run.
    """
    files = list(files)
    hindrances = {file.slug: _hindrance(file, bound[file.slug], neighbors=neighbors) for file in files}
    able = [file for file in files if hindrances[file.slug] is None]
    longest = max((file.value.query_period for file in able), default=start - start)
    types = engine.types_read(bound[file.slug] for file in able)
    joins = {join for file in able for join in engine.joins_of(bound[file.slug])}
    past = Past(source, types=types, lists=watchlists(source), since=start - longest, until=end, joins=joins, tell=tell)
    try:
        for file in files:
            hindrance = hindrances[file.slug]
            yield _line(past, file, bound[file.slug], start, end) if hindrance is None else _not_run(file, hindrance)
    finally:
        past.close()


def _hindrance(file: File[Rule], bound: Bound, *, neighbors: bool) -> str | None:
    if file.value.execution == "bound-only":
        return "the local engine does not execute it"
    joined = [join.removeprefix(JOIN) for join in engine.joins_of(bound)]
    return f"needs {', '.join(joined)}, which were not read" if joined and not neighbors else None


def _not_run(file: File[Rule], reason: str) -> Line:
    return Line(file.slug, file.value.severity, 0, None, None, (), reason)


def _line(past: Past, file: File[Rule], bound: Bound, start: datetime, end: datetime) -> Line:
    try:
        fired = list(past.fired(file, bound, start, end))
    except KqlRefused as exc:
        return _not_run(file, str(exc))
    counts: dict[str, int] = {}
    for row in (row for each in fired for row in each.rows):
        subject = str(row.get("Subject", ""))
        counts[subject] = counts.get(subject, 0) + 1
    subjects = tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
    first, last = (fired[0].moment, fired[-1].moment) if fired else (None, None)
    without = tuple(join.removeprefix(JOIN) for join in engine.joins_of(bound) if not past.has(join))
    return Line(file.slug, file.value.severity, sum(counts.values()), first, last, subjects, without=without)


def table_of(lines: Iterable[Line], *, show_subjects: bool) -> Table:
    """What would have fired, most first; then how many were silent or not run."""
    table = Table(
        Column("rule", overflow="fold", min_width=20),
        "severity",
        "alerts",
        "first",
        "last",
        "subjects",
        "the most",
        box=None,
    )
    for line in sorted(lines, key=lambda line: (-line.alerts, line.slug)):
        if line.alerts:
            shown = [f"{name} {count}" if show_subjects else str(count) for name, count in line.subjects[:TOP]]
            first, last = (f"{moment:%Y-%m-%d %H:%M}" if moment else "" for moment in (line.first, line.last))
            table.add_row(
                line.slug, line.severity, str(line.alerts), first, last, str(len(line.subjects)), ", ".join(shown)
            )
    return table
