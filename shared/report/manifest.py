"""The manifest: what was asked, what was answered, how complete the record is, and the digest of every file."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared import __version__
from shared.archive.seal import VERSION, sha256
from shared.models import Window
from shared.report.answers import Table
from shared.report.coverage import Coverage
from shared.workspace.kql import kql_moment


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
) -> dict[str, Any]:
    """Everything a reader needs to check the report; `signed_with` is the key that will sign it, if one will."""
    scope = next(table for table in tables if table.question.name == "scope")
    return {
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
        "files": {path: {"bytes": len(data), "sha256": sha256(data)} for path, data in sorted(files.items())},
        "signedWith": signed_with,
    }


def canonical(told: Mapping[str, Any]) -> bytes:
    """The bytes that are stored and signed: ASCII JSON with sorted keys, two spaces a level and a newline at the end.

    The file is signed as it stands, so that any tool can check it without knowing this form.
    """
    return (json.dumps(told, ensure_ascii=True, sort_keys=True, indent=2) + "\n").encode()
