"""Asks the questions. What fails is told as failed, what is cut off is asked again in halves: never an empty table."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.errors import BridgeError, SinkBusy
from shared.logs import masked, safe
from shared.models import Window
from shared.report.questions import Question
from shared.workspace.client import Answer, QueryClient
from shared.workspace.kql import kql_moment

Value = str | int | float | bool | None
SHORTEST = timedelta(minutes=1)
"""A piece of the period that is still cut off at this length is not cut further."""


@dataclass(frozen=True, slots=True)
class Table:
    """One question, answered or not. Values are JSON's; times are ISO 8601 text in UTC.

    `failure` says why there are no rows; then the table says nothing about the period. `pieces` is how many parts of
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
        return replace(table, failure=safe(str(why)))
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
    text = str(value)
    return text if names else masked(text)
