"""The report's questions and the name of its period."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.models import Window
from shared.report.questions import FOLDER, ORDER, parse, questions
from shared.report.writing import last_period, name_of
from tests.unit.report.fakes import DAY

WORKBOOK = Path(__file__).parents[3] / "sentinel" / "workbooks" / "claude" / "shared" / "ControlTypes.kql"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_file_is_a_question_and_every_question_a_file() -> None:
    """A query that nobody asks would be missing from the report without a word."""
    assert {path.stem for path in FOLDER.glob("*.kql")} == set(ORDER)
    assert [question.name for question in questions()] == list(ORDER)


def test_questions_name_parsers_and_the_period_only() -> None:
    """No raw table, and TimeGenerated nowhere: history written today belongs to its own period."""
    for question in questions():
        assert "_CL" not in question.kql and "TimeGenerated" not in question.kql, question.name
        asked = question.asked(DAY, names=False)
        assert (
            "let PeriodStart = datetime(2026-10-05T00:00:00Z);\nlet PeriodEnd = datetime(2026-10-06T00:00:00Z);"
            in asked
        )
        assert "let Names = false;" in asked and asked.endswith(question.kql)


def test_what_splits_is_in_order_of_time() -> None:
    """Pieces of the period laid one after the other are the whole answer."""
    assert {question.name for question in questions() if question.splits} == {
        "changes",
        "privileged-changes",
        "exports",
        "provider",
    }
    for question in questions():
        if question.splits:
            assert question.kql.endswith("| order by EventTime asc, ActivityId asc\n")


def test_the_report_knows_every_control_the_workbook_knows() -> None:
    """A change that the workbook shows and the report does not would be found by the auditor."""
    types = WORKBOOK.read_text(encoding="utf-8").split('"')[1::2]
    changes = next(question.kql for question in questions() if question.name == "changes")
    assert len(types) > 20 and [name for name in types if f'"{name}"' not in changes] == []


def test_a_file_without_its_header_is_refused() -> None:
    """Its reader would get a table without a title."""
    with pytest.raises(ValueError, match="title, about, empty, split"):
        parse("changes", "// title: Changes\nClaudeActivity\n")


@pytest.mark.parametrize(
    ("now", "week", "month"),
    [
        ("2026-11-01T05:15", "2026-W43", "2026-10"),
        ("2026-11-02T05:15", "2026-W44", "2026-10"),
        ("2027-01-04T05:15", "2026-W53", "2026-12"),
        ("2028-03-01T00:00", "2028-W08", "2028-02"),
    ],
)
def test_the_last_whole_week_and_month(now: str, week: str, month: str) -> None:
    """Weeks run from Monday and are numbered as ISO 8601 has it, months by the calendar; both have ended."""
    for every, name in (("weekly", week), ("monthly", month)):
        period = last_period(every, at(now))  # type: ignore[arg-type]
        assert period is not None and period.lt <= at(now) and name_of(period) == name
    assert last_period("off", at(now)) is None


def test_any_other_period_is_named_by_its_moments() -> None:
    """Thirty-one days that are no month, seven that are no week, and parts of a day."""
    july = Window(at("2026-07-02"), at("2026-08-02"))
    assert name_of(july) == "20260702T000000Z-20260802T000000Z"
    assert name_of(Window(at("2026-10-06"), at("2026-10-06") + timedelta(days=7))).startswith("20261006T")
    assert name_of(Window(at("2026-10-01"), at("2026-10-31T23:00"))).endswith("20261031T230000Z")
