"""Saved functions come from the parser files."""

from datetime import timedelta
from pathlib import Path

import pytest

from kql.parsers import FOLDER, definition
from tests.kql.workspace_world import NOON, workspace

FIRST_COPY = """// Samples, each id once: the first copy wins.
//
// Second paragraph of the description.
Sample_CL
| extend IngestedAt = ingestion_time()
| summarize arg_min(IngestedAt, *) by Id
"""
NAMED = """// parameters: (who:string, atleast:long=1)
// Samples of one name.
FirstCopy()
| where Name == who and Size >= atleast
"""


def test_a_parser_file_is_a_function_with_its_stem_as_name(tmp_path: Path) -> None:
    """The first copy wins, ingestion time is exposed, and the function composes with what follows it."""
    (tmp_path / "FirstCopy.kql").write_text(FIRST_COPY)
    made = workspace({"Id": "a", "Name": "first"}, {"Id": "b", "Name": "only"}, parsers=tmp_path)
    made.store("Sample_CL", [{"Id": "a", "Name": "second"}], ingested_at=NOON + timedelta(hours=1))
    answer = made.query("FirstCopy | sort by Id asc | project Id, Name, IngestedAt")
    assert answer.rows == [("a", "first", NOON + timedelta(minutes=1)), ("b", "only", NOON + timedelta(minutes=1))]
    assert made.query("FirstCopy() | count").rows == [(2,)]
    assert made.functions == ("FirstCopy",)


def test_parameters_are_declared_in_a_comment(tmp_path: Path) -> None:
    """A function takes its parameters, including defaults, and may call another."""
    (tmp_path / "FirstCopy.kql").write_text(FIRST_COPY)
    (tmp_path / "Named.kql").write_text(NAMED)
    made = workspace({"Id": "a", "Name": "x", "Size": 1}, {"Id": "b", "Name": "x", "Size": 5}, parsers=tmp_path)
    assert made.query("Named('x') | count").rows == [(2,)]
    assert made.query("Named('x', 3) | project Id").rows == [("b",)]


def test_a_broken_parser_names_its_file(tmp_path: Path) -> None:
    """A file that is not KQL stops the workspace from opening, and the error names it."""
    (tmp_path / "Broken.kql").write_text("Sample_CL | wher x")
    with pytest.raises(ValueError, match=r"Broken\.kql"):
        workspace(parsers=tmp_path)


def test_the_shipped_parsers_all_load() -> None:
    """Every file of sentinel/parsers is a definition that the local engine parses."""
    assert FOLDER.parts[-2:] == ("sentinel", "parsers")
    made = workspace(parsers=FOLDER)
    assert len(made.functions) == len(list(FOLDER.glob("*.kql")))
    assert all(definition(path).startswith(f"function {path.stem}(") for path in FOLDER.glob("*.kql"))
