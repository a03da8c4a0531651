"""The values of the report's page; its words and structure are in `page.html.j2`, its looks in `page.css`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from shared import __version__
from shared.archive.seal import SEAL
from shared.models import Window
from shared.report.coverage import Coverage
from shared.report.questions import Table, Value

LONG_WORD = 14
"""Letters that are never broken."""
MOST_SHOWN = 2_000
"""About a hundred pages; whoever needs more of one table takes the CSV."""
ONLY_IN_FILES = ("ActivityId", "RunId")
"""Long ids that would take the width of a page; the numbered row of the CSV holds them."""
ATTEND = frozenset({"not announced", "missing", "no proof", "not reported", "expired", "selftest_failed"})
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?Z")
_SPACES = re.compile(r"(\s+)")
_PIECE = re.compile(r"[^_/.,:=-]{1,14}[_/.,:=-]?|[_/.,:=-]")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Cover:
    """The report's own facts, for its first page."""

    name: str
    period: Window
    created: datetime
    names: bool
    signed_with: str | None


@dataclass(frozen=True, slots=True)
class _Section:
    """One table as shown: its rows numbered and perhaps cut, without the columns that are empty in all of them."""

    table: Table
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    left_out: tuple[str, ...]


def page(cover: Cover, tables: Sequence[Table], proof: Coverage, digests: Sequence[tuple[str, str]]) -> bytes:
    """The page. `digests` are name and SHA-256 of every other file of the report."""
    scope = next(table for table in tables if table.question.name == "scope")
    return (
        _template()
        .render(
            cover=cover,
            span=f"{cover.period.gte:%Y-%m-%d %H:%M} to {cover.period.lt:%Y-%m-%d %H:%M} UTC",
            release=__version__,
            seal_file=SEAL,
            tables=tables,
            failed=[table for table in tables if table.failure],
            scope=scope,
            organizations=sorted({str(row["Organization"]) for row in scope.objects()} - {"none"}),
            proof=proof,
            gaps=[(gap.connection, _moment(gap.start), _moment(gap.end), gap.verdict) for gap in proof.gaps],
            days=[
                (day.connection, day.day, day.proved, day.asked, day.verdicts["surplus"], day.rows, day.dead)
                for day in proof.days
            ],
            sections=[_section(table) for table in tables if table.question.name != "hours"],
            digests=digests,
        )
        .encode()
    )


@cache
def _template() -> Template:
    """Escapes every value, and fails for a value that is missing."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell_class": _cell_class,
        "cell_text": _cell_text,
        "heading": lambda name: _CAPITAL.sub(" ", name),
        "is_numeric": lambda rows, index: all(isinstance(row[index], int | float) for row in rows),
        "thousands": lambda number: f"{number:,}",
    }
    return environment.get_template("page.html.j2")


def _section(table: Table) -> _Section:
    shown = [index for index, name in enumerate(table.columns) if name not in ONLY_IN_FILES]
    kept = [index for index in shown if any(row[index] not in (None, "") for row in table.rows)]
    return _Section(
        table,
        ("#", *(table.columns[index] for index in kept)),
        tuple((place, *(row[index] for index in kept)) for place, row in enumerate(table.rows[:MOST_SHOWN], start=1)),
        tuple(table.columns[index] for index in shown if index not in kept),
    )


def _cell_class(value: Value) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Markup(' class="number"')
    if isinstance(value, str) and _TIME.fullmatch(value):
        return Markup(' class="time"')
    return Markup(' class="attend"') if value in ATTEND else Markup()


def _cell_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    time = _TIME.fullmatch(text)
    return f"{time[1]} {time[2]}" if time else _breakable(text)


def _breakable(text: str) -> Markup:
    """Escaped, with places where a line may end in long ids and types: they neither widen a column nor are cut.

    A cell that cannot be broken would make the printer shrink every page.
    """
    return Markup().join(
        Markup("<wbr>").join(_PIECE.findall(word)) if len(word) > LONG_WORD else word for word in _SPACES.split(text)
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
