"""What the report asks, in order: one `.kql` file a question, with its title and a sentence for the reader.

What fails is reported as failed, what is cut off is asked again in halves: never an empty table.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from shared.errors import BridgeError, SinkBusy
from shared.logs import masked, safe
from shared.models import Window
from shared.workspace.query import Answer, QueryClient, kql_moment

FOLDER = Path(__file__).parent / "queries"
ORDER = (
    "scope",
    "hours",
    "changes",
    "exceptions",
    "privileged",
    "privileged-changes",
    "exports",
    "provider",
    "state",
    "drills",
)
Value = str | int | float | bool | None
SHORTEST = timedelta(minutes=1)
"""A piece of the period that is still cut off at this length is not cut further."""
_HEADER = re.compile(r"^// (title|about|empty|split): (.+)$")
_FIELDS = ("title", "about", "empty", "split")


@dataclass(frozen=True, slots=True)
class Question:
    """One table of the report. `splits`: its rows are moments of the period in order, so it can be asked in pieces."""

    name: str
    title: str
    about: str
    empty: str
    splits: bool
    kql: str

    def asked(self, period: Window, *, names: bool) -> str:
        """The whole query, as it is sent and as the manifest keeps it."""
        return (
            f"let PeriodStart = datetime({kql_moment(period.gte)});\n"
            f"let PeriodEnd = datetime({kql_moment(period.lt)});\n"
            f"let Names = {'true' if names else 'false'};\n{self.kql}"
        )


@cache
def questions() -> tuple[Question, ...]:
    """Every question, in the report's order."""
    return tuple(parse(name, (FOLDER / f"{name}.kql").read_text(encoding="utf-8")) for name in ORDER)


def parse(name: str, text: str) -> Question:
    """One file: four comment lines, then the query. Raises ValueError when a line is missing."""
    lines = text.splitlines()
    found = {match[1]: match[2] for line in lines[: len(_FIELDS)] if (match := _HEADER.match(line))}
    if tuple(found) != _FIELDS:
        raise ValueError(f"{name}.kql must begin with comment lines for {', '.join(_FIELDS)}")
    kql = "\n".join(lines[len(_FIELDS) :]).strip() + "\n"
    return Question(name, found["title"], found["about"], found["empty"], found["split"] == "yes", kql)


@dataclass(frozen=True, slots=True)
class Table:
    """One question, answered or not. Values are JSON's; times are ISO 8601 text in UTC.

    `failure` says why there are no rows; nothing follows for the period then. `pieces` is how many parts of
    the period were asked for separately.
    """

    question: Question
    asked: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    failure: str | None = None
    pieces: int = 1

    def objects(self) -> list[dict[str, Value]]:
        """The rows as one dict each."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


async def ask(client: QueryClient, question: Question, period: Window, *, names: bool) -> Table:
    """The table of one question; a failure becomes the table's own sentence.

    Without `names` whatever looks like an address is masked, wherever it stands: a watchlist may hold one.
    """
    table = Table(question, question.asked(period, names=names))
    try:
        answers = await _pieces(client, question, period, names=names)
    except BridgeError as why:
        return replace(table, failure=_storable(safe(str(why))))
    rows = tuple(tuple(_plain(value, names=names) for value in row) for each in answers for row in each.rows)
    return replace(table, columns=answers[0].columns, rows=rows, pieces=len(answers))


async def _pieces(client: QueryClient, question: Question, period: Window, *, names: bool) -> list[Answer]:
    """Whole answers, oldest first. Raises SinkBusy when even the shortest piece is cut off."""
    answer = await client.ask(question.asked(period, names=names))
    if answer.whole:
        return [answer]
    if not question.splits or period.span < 2 * SHORTEST:
        raise SinkBusy(
            "the workspace cut the answer off (it ends at 500,000 rows or 64 MB): report a shorter period, or write it "
            "again when the workspace is less busy"
        )
    older = period.first_half()
    newer = replace(period, gte=older.lt)
    return [
        *await _pieces(client, question, older, names=names),
        *await _pieces(client, question, newer, names=names),
    ]


def _plain(value: Any, *, names: bool) -> Value:
    if isinstance(value, datetime):
        return kql_moment(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _storable(str(value))
    return text if names else masked(text)


def _storable(text: str) -> str:
    """Text from JSON can hold half of a surrogate pair, for which UTF-8 and canonical JSON have no form."""
    return text.encode("utf-8", "backslashreplace").decode()
