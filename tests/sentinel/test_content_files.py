"""A content file that does not fit says on which line and why."""

from pathlib import Path

import pytest

from sentinel.tools.load import content
from sentinel.tools.load.problems import ContentError
from sentinel.tools.load.yaml_lines import read
from tests.sentinel.drafts import draft


def complaint(path: Path) -> str:
    with pytest.raises(ContentError) as told:
        content.rule(path)
    return str(told.value)


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    """A misspelt key does not pass as an extra one."""
    path = draft(tmp_path, serverity="High")
    line = path.read_text().splitlines().index("serverity: High") + 1
    assert f"claude-draft.yaml:{line}: serverity: Extra inputs are not permitted" in complaint(path)


def test_a_missing_key_and_a_wrong_value_are_told_together(tmp_path: Path) -> None:
    """All mistakes of a file are told at once, the deep ones at their own line."""
    path = draft(tmp_path, severity="Critical", queryFrequency="soon")
    path.write_text(path.read_text().replace("runbook: 1. Look.\n", ""))
    told = complaint(path)
    assert "runbook: Field required" in told
    assert "severity: Input should be 'Informational', 'Low', 'Medium' or 'High'" in told
    assert "'soon' is no span" in told


def test_a_key_written_twice_is_a_mistake(tmp_path: Path) -> None:
    """YAML would let the last one win; here somebody is told."""
    path = draft(tmp_path)
    path.write_text(path.read_text() + "severity: Low\n")
    assert "severity is written twice" in complaint(path)


def test_text_is_never_taken_for_something_else(tmp_path: Path) -> None:
    """`off`, `no`, a date and an id with leading zeros stay what they are."""
    path = tmp_path / "x.yaml"
    path.write_text("a: off\nb: no\nc: 2026-11-20\nd: 007\ne: 12\nf: true\n")
    data, _ = read(path)
    assert data == {"a": "off", "b": "no", "c": "2026-11-20", "d": "007", "e": 12, "f": True}


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n- 2\n"])
def test_what_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    """An empty file, a broken one and a list are mistakes with a place, not tracebacks."""
    path = tmp_path / "claude-draft.yaml"
    path.write_text(text)
    assert "claude-draft.yaml:" in complaint(path)
