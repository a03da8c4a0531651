"""A query that cannot be answered says why, where, and what there is."""

from pathlib import Path

import pytest

from kql import KqlRefused
from tests.kql.workspace_world import workspace


@pytest.mark.parametrize(
    ("query", "line", "column", "words"),
    [
        ("Sample_CL\n| wher Id == 'a'", 2, 1, "not KQL"),
        ("Sample_CL\n| where Nope == 1", 2, 9, "no column 'Nope'"),
        ("Sample_CL | project Id | where Size > 1", 1, 32, "no column 'Size'"),
        ("Missing_CL | count", 1, 1, "no table or function 'Missing_CL'; there are: Recent, Sample_CL"),
        ("union Sample_CL, Missing_CL", 1, 18, "no table or function 'Missing_CL'"),
        ("Sample_CL\n| make-series n = count() on TimeGenerated step 1h", 2, 3, "does not carry out"),
        ("Sample_CL | extend X = no_such_function(Id)", None, None, "no_such_function"),
        ("Sample_CL | project Id | where ingestion_time() > ago(1h)", None, None, "before project"),
        ("Sample_CL | extend X = Size + Id", None, None, "No function matches"),
        (".drop table Sample_CL", None, None, "commands are not carried out"),
        ("// first\n.set Copy <| Sample_CL", None, None, "disabled"),
        ("  ", None, None, "a query starts with"),
    ],
)
def test_a_refusal_names_the_place_and_the_choice(
    query: str, line: int | None, column: int | None, words: str, tmp_path: Path
) -> None:
    """Syntax, names and unsupported parts are refused with a position where one is known."""
    (tmp_path / "Recent.kql").write_text("Sample_CL")
    with pytest.raises(KqlRefused) as refused:
        workspace(parsers=tmp_path).query(query)
    assert words in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)


def test_a_refused_query_leaves_the_workspace_usable() -> None:
    """After a refusal the next query is answered."""
    made = workspace({"Id": "a"})
    with pytest.raises(KqlRefused):
        made.query("Sample_CL | where Nope == 1")
    assert made.query("Sample_CL | project Id").rows == [("a",)]
