"""Answers become tables: whole, in pieces, or told as failed; and their files."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.monitor.query import LogsQueryPartialResult, LogsQueryResult, LogsTable
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SimulatedClock
from shared.errors import SinkBusy, SinkRefused
from shared.report.files import as_csv, as_json
from shared.report.questions import Answer, Question, Table, ask, questions
from shared.workspace.client import LogAnalyticsWorkspace
from tests.unit.report.fakes import DAY, NOW, FakeQueries

CHANGES = next(question for question in questions() if question.name == "changes")
SCOPE = next(question for question in questions() if question.name == "scope")
MINUTE = timedelta(minutes=1)


class SmallWorkspace:
    """Holds one row a minute and answers at most `most` of them at a time."""

    def __init__(self, most: int) -> None:
        self.most = most

    async def ask(self, kql: str) -> Answer:
        start, end = (datetime.fromisoformat(part.split(")")[0]) for part in kql.split("datetime(")[1:3])
        first = -(-(start - DAY.gte) // MINUTE)
        last = -(-(end - DAY.gte) // MINUTE)
        rows = [(DAY.gte + number * MINUTE, f"activity_{number:05}") for number in range(first, last)]
        return Answer(("EventTime", "ActivityId"), rows[: self.most], whole=len(rows) <= self.most)


@pytest.mark.parametrize("most", [5000, 1440, 1439, 100, 7])
async def test_a_cut_answer_is_asked_again_in_halves(most: int) -> None:
    """However little the workspace answers at once, every row is there, once and in order."""
    table = await ask(SmallWorkspace(most), CHANGES, DAY, names=False)
    assert table.failure is None and [row[1] for row in table.rows] == [f"activity_{n:05}" for n in range(1440)]
    assert (table.pieces > 1) == (most < 1440)


async def test_an_answer_that_stays_cut_off_is_told_as_failed() -> None:
    """Some of the rows would pass for all of them."""
    table = await ask(SmallWorkspace(0), CHANGES, DAY, names=False)
    assert table.rows == () and table.failure is not None and "cut the answer off" in table.failure


async def test_what_cannot_be_split_is_told_as_failed() -> None:
    """Counts of two halves are not the count of the whole."""
    table = await ask(SmallWorkspace(10), SCOPE, DAY, names=False)
    assert table.rows == () and table.failure is not None and "shorter period" in table.failure


async def test_a_refusal_is_the_tables_own_sentence() -> None:
    """The other questions are asked all the same."""
    table = await ask(FakeQueries({}), CHANGES, DAY, names=False)
    assert table.failure is not None and "deploy the parsers" in table.failure and table.asked.endswith(CHANGES.kql)


@pytest.mark.parametrize(
    ("names", "told"), [(False, "ask <address> first"), (True, "ask mara.lindqvist@example.com first")]
)
async def test_an_address_appears_only_where_people_are_named(names: bool, told: str) -> None:
    """A watchlist's reason may hold one, whatever the query projects."""
    client = FakeQueries({"exceptions": Answer(("Reason",), [("ask mara.lindqvist@example.com first",)])})
    question = next(each for each in questions() if each.name == "exceptions")
    assert (await ask(client, question, DAY, names=names)).rows == ((told,),)


class Client:
    """The query client, as far as the client knows it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.options: dict[str, Any] = {}

    async def query_workspace(self, workspace_id: str, query: str, **options: Any) -> Any:
        self.options = options
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def logs_table() -> LogsTable:
    return LogsTable(
        name="PrimaryResult",
        columns=["EventTime", "Rows"],
        columns_types=["datetime", "long"],
        rows=[["2026-10-05T01:00:00Z", 3]],
    )


def refused(status: int) -> HttpResponseError:
    error = HttpResponseError("no")
    error.status_code = status
    return error


async def test_the_official_client_is_asked_without_a_time_span() -> None:
    """A time span would bound TimeGenerated; a part of an answer is known as one."""
    whole = Client(LogsQueryResult(tables=[logs_table()]))
    answer = await LogAnalyticsWorkspace(whole, "w", SimulatedClock(NOW)).ask("x")  # type: ignore[arg-type]
    assert answer.whole and answer.columns == ("EventTime", "Rows") and whole.options["timespan"] is None
    assert answer.rows == [[datetime(2026, 10, 5, 1, tzinfo=UTC), 3]]
    partial = Client(LogsQueryPartialResult(partial_data=[logs_table()]))
    assert not (await LogAnalyticsWorkspace(partial, "w", SimulatedClock(NOW)).ask("x")).whole  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refused(403), SinkRefused, "Log Analytics Data Reader"),
        (refused(400), SinkRefused, "deploy the parsers"),
        (refused(429), SinkBusy, "later"),
        (refused(504), SinkBusy, "later"),
        (ServiceRequestError("no route"), SinkBusy, "did not answer"),
    ],
)
async def test_a_refusal_says_who_acts(error: Exception, kind: type[Exception], words: str) -> None:
    """Rights and parsers are the operator's, everything else passes."""
    with pytest.raises(kind, match=words):
        await LogAnalyticsWorkspace(Client(error), "w", SimulatedClock(NOW)).ask("x")  # type: ignore[arg-type]


QUESTION = Question("t", "T", "a", "e", False, "x\n")
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20))


@given(st.lists(st.tuples(VALUES, VALUES), max_size=5))
def test_files_hold_every_row_and_no_formula(rows: list[tuple[Any, Any]]) -> None:
    """JSON gives the rows back; CSV has as many, the same bytes each time, and no text a spreadsheet carries out."""
    table = Table(QUESTION, "x", ("A", "B"), tuple(rows))
    assert [tuple(row.values()) for row in json.loads(as_json(table))["rows"]] == rows
    read = list(csv.reader(io.StringIO(as_csv(table).decode(), newline="")))
    assert len(read) == len(rows) + 1 and as_csv(table) == as_csv(table)
    for line, row in zip(read[1:], rows, strict=True):
        for cell, value in zip(line, row, strict=True):
            if isinstance(value, str):
                assert cell.removeprefix("'").encode("utf-8", "replace") == value.removeprefix("'").encode(
                    "utf-8", "replace"
                )
                assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "＝1"])
def test_a_formula_is_only_text(text: str) -> None:
    """With an apostrophe before it a spreadsheet shows it and does not carry it out; numbers stay numbers."""
    body = as_csv(Table(QUESTION, "x", ("A", "B"), ((text, -5),))).decode()
    assert f"'{text}" in body and ",-5\r\n" in body
