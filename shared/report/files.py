"""What a report keeps beside its page: the rows as CSV and JSON, and the manifest that names every file."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785

from shared import __version__
from shared.archive.seal import VERSION, sha256
from shared.models import Window
from shared.report.coverage import Coverage
from shared.report.questions import Table, Value
from shared.workspace.query import kql_moment

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(table: Table) -> bytes:
    """UTF-8, a header line, `\\r\\n`, as in RFC 4180; a text that a spreadsheet would run as a formula gets a `'`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue().encode()


def as_json(table: Table) -> bytes:
    """The question, its text, and the rows as one object each, exactly as answered."""
    content = {
        "question": table.question.name,
        "title": table.question.title,
        "columns": list(table.columns),
        "failure": table.failure,
        "rows": table.objects(),
    }
    return (json.dumps(content, ensure_ascii=True, indent=1) + "\n").encode()


def manifest(
    name: str,
    period: Window,
    tables: Sequence[Table],
    proof: Coverage,
    files: Mapping[str, bytes],
    *,
    created: datetime,
    names: bool,
    signed_with: str | None,
) -> bytes:
    """Everything a reader needs to check the report; `signed_with` is the key that will sign it, if one will.

    Canonical JSON (RFC 8785): the same content is the same bytes, in any language.
    """
    scope = next(table for table in tables if table.question.name == "scope")
    content: dict[str, Any] = {
        "manifestVersion": VERSION,
        "report": name,
        "period": {"from": kql_moment(period.gte), "to": kql_moment(period.lt), "field": "EventTime"},
        "created": kql_moment(created),
        "bridgeVersion": __version__,
        "organizations": sorted({str(row["Organization"]) for row in scope.objects()} - {"none"}),
        "personalData": "names" if names else "ids only",
        "completeness": {
            "hoursAsked": proof.asked,
            "hoursProved": proof.proved,
            "complete": proof.complete,
            "failure": proof.failure,
            "gaps": [
                {
                    "connection": gap.connection,
                    "from": kql_moment(gap.start),
                    "to": kql_moment(gap.end),
                    "verdict": gap.verdict,
                }
                for gap in proof.gaps
            ],
        },
        "tables": [
            {
                "name": table.question.name,
                "title": table.question.title,
                "rows": None if table.failure else len(table.rows),
                "failure": table.failure,
                "pieces": table.pieces,
                "query": table.asked,
            }
            for table in tables
        ],
        "files": {path: {"bytes": len(data), "sha256": sha256(data)} for path, data in files.items()},
        "signedWith": signed_with,
    }
    return rfc8785.dumps(content)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) or value.startswith(_FORMULA) else value
