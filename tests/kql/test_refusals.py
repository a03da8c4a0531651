"""The error of a failed query gives the reason, the position and the available names."""

from pathlib import Path

import pytest

from kql import KqlRefused
from tests.kql.workspace_world import workspace


@pytest.mark.parametrize(
    ("query", "line", "column", "words"),
    [
        ("Sample_CL\n| wher Id == 'a'", 2, 1, "not valid KQL"),
        ("Sample_CL\n| where Nope == 1", 2, 9, "no column 'Nope'"),
        ("Sample_CL | project Id | where Size > 1", 1, 32, "no column 'Size'"),
        ("Missing_CL | count", 1, 1, "no table or function 'Missing_CL'; available: Recent, Sample_CL"),
        ("union Sample_CL, Missing_CL", 1, 18, "no table or function 'Missing_CL'"),
        ("Sample_CL\n| make-series n = count() on TimeGenerated step 1h", 2, 3, "does not support"),
        ("Sample_CL | extend X = no_such_function(Id)", None, None, "no_such_function"),
        ("Sample_CL | project Id | where ingestion_time() > ago(1h)", None, None, "before project"),
        ("Sample_CL | extend X = Size + Id", None, None, "No function matches"),
        (".drop table Sample_CL", None, None, "commands are not supported"),
        ("// first\n.set Copy <| Sample_CL", None, None, "disabled"),
        ("  ", None, None, "a query starts with"),
    ],
)
def test_an_error_has_the_position_and_the_available_names(
    query: str, line: int | None, column: int | None, words: str, tmp_path: Path
) -> None:
    """Syntax errors, unknown names and unsupported constructs are reported with a position, if known."""
    (tmp_path / "Recent.kql").write_text("Sample_CL")
    with pytest.raises(KqlRefused) as refused:
        workspace(parsers=tmp_path).query(query)
    assert words in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)


def test_the_workspace_is_usable_after_a_failed_query() -> None:
    """The query after a failed one succeeds."""
    made = workspace({"Id": "a"})
    with pytest.raises(KqlRefused):
        made.query("Sample_CL | where Nope == 1")
    assert made.query("Sample_CL | project Id").rows == [("a",)]
