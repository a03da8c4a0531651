"""Query results on the terminal."""

import csv
import io
import json

from kql.show import WIDTH, Form, print_answer
from tests.kql.workspace_world import workspace

QUERY = (
    "Sample_CL | sort by Id asc"
    " | project TimeGenerated, Id, Size, Share, IsBackfill, Details, Lag = 90m, Bad = todouble('nan')"
)
ROWS = (
    {"Id": "a[bold]", "Size": 12345, "Share": 0.25, "IsBackfill": True, "Details": {"k": 'é, "q"'}},
    {"Id": "b" * 150, "Size": 7},
)


def shown(form: Form, query: str = QUERY) -> str:
    out = io.StringIO()
    print_answer(workspace(*ROWS).query(query), form, out)
    return out.getvalue()


def test_a_table_fits_and_aligns_numbers() -> None:
    """No line exceeds WIDTH, long cells wrap completely, numbers are right-aligned, markup stays plain text."""
    text = shown("table", "Sample_CL | project Id, Size | sort by Id asc")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count("b") - text.count("bold") == 150
    assert "a[bold]" in text
    ends = [line.rstrip()[-5:] for line in text.splitlines()]
    assert "12345" in ends and "    7" in ends


def test_an_empty_result_prints_no_rows() -> None:
    """An empty result is a sentence in table form, and valid data in JSON and CSV."""
    assert shown("table", "Sample_CL | where Id == 'none'") == "no rows\n"
    assert json.loads(shown("json", "Sample_CL | where Id == 'none'")) == []
    assert shown("csv", "Sample_CL | where Id == 'none' | project Id, Size") == "Id,Size\n"


def test_json_is_a_list_of_objects() -> None:
    """Datetimes are ISO 8601, timespans Kusto's text, dynamics JSON; NaN, which JSON lacks, is null."""
    first, second = json.loads(shown("json"))
    assert first == {
        "TimeGenerated": "2026-11-20T12:00:00Z",
        "Id": "a[bold]",
        "Size": 12345,
        "Share": 0.25,
        "IsBackfill": True,
        "Details": {"k": 'é, "q"'},
        "Lag": "01:30:00",
        "Bad": None,
    }
    assert second["Share"] is None


def test_csv_can_be_parsed() -> None:
    """A header, then one line per row; dynamics are JSON text in a cell."""
    header, first, second = csv.reader(io.StringIO(shown("csv")))
    assert header[:3] == ["TimeGenerated", "Id", "Size"]
    assert first[4:7] == ["true", '{"k": "é, \\"q\\""}', "01:30:00"]
    assert second[3] == ""
