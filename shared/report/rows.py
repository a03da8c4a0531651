"""A table as CSV and as JSON: the same rows give the same bytes, and no spreadsheet takes a cell for a formula."""

import csv
import io
import json

from shared.report.answers import Table, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(table: Table) -> bytes:
    """UTF-8, a header line, `\\r\\n`, as RFC 4180 has it; a text that a spreadsheet would carry out gets a `'`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def as_json(table: Table) -> bytes:
    """The question, its text, and the rows as one object each, exactly as answered."""
    told = {
        "question": table.question.name,
        "title": table.question.title,
        "columns": list(table.columns),
        "failure": table.failure,
        "rows": table.objects(),
    }
    return (json.dumps(told, ensure_ascii=True, indent=1) + "\n").encode()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) or value.startswith(_FORMULA) else value
