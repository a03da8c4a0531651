"""Queries name only run states and run kinds that a run can have."""

import re
from pathlib import Path

import pytest

from shared.report.page import ATTEND
from shared.runs.run import RunKind, RunState

ROOT = Path(__file__).parents[2]
FOLDERS = ("sentinel/rules", "sentinel/hunting", "sentinel/parsers", "sentinel/workbooks/claude")
QUERIES = [
    path
    for folder in (*FOLDERS, "infra/bicep/alerts", "shared/report/queries")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".kql", ".yaml") and "Health" in path.read_text(encoding="utf-8")
]
KNOWN = {"State": {state.value for state in RunState}, "RunKind": {kind.value for kind in RunKind}}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_states_and_kinds_in_a_query_exist(path: Path) -> None:
    """A state that was renamed would make a condition that is never true, and nobody would notice."""
    text = path.read_text(encoding="utf-8")
    for column, known in KNOWN.items():
        compared = re.findall(rf"\b{column} (?:==|!=|=~|in~?|!in~?) (\([^)]*\)|\"[^\"]*\")", text)
        found = {word for part in compared for word in re.findall(r'"([^"]+)"', part)}
        written = set(re.findall(rf"\b{column}: \"?([a-z_]+)\"?[,}}]", text)) if "rules" in path.parts else set()
        assert (found | written) - known == set(), path


def test_the_reports_marks_exist() -> None:
    """What the report marks as worth a look includes the state of a self-test that failed."""
    assert RunState.SELFTEST_FAILED.value in ATTEND and QUERIES
