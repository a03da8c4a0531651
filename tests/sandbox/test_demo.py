"""The demo at a small size; it must be able to fail."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sandbox import demo
from sandbox.cli import app
from sandbox.completeness import check_completeness
from sandbox.demo_queries import DEMO_QUERIES
from sandbox.demo_report import as_json, print_report
from sandbox.world import World
from tests.fakes import FakeWorld, Happening


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five days of history and twenty minutes of morning; the sweeps need their two days."""
    monkeypatch.setattr(demo, "HISTORY", timedelta(days=5))
    monkeypatch.setattr(demo, "MORNING", timedelta(minutes=20))


async def test_a_small_demo_answers_every_question_and_misses_nothing(short: None, tmp_path: Path) -> None:
    """With faults on both sides every activity arrives; the report is complete, as text and as JSON."""
    console, summaries, phases = Console(file=StringIO(), width=110), [], set()

    def inspect(world: World, report: demo.DemoReport) -> None:
        print_report(console, world.workspace, report)
        summaries.append(json.loads(json.dumps(as_json(world.workspace, report))))

    report = await demo.run_demo(
        tmp_path / "demo", lambda phase, *_: phases.add(phase), people=20, seed=7, inspect=inspect
    )
    assert report.completeness is not None and report.completeness.complete
    assert report.completeness.dead_letters == 0 and report.replayed == 1
    assert phases == {"tenant", "history", "live", "sweeps"}
    assert report.selftest["arrived"] and report.selftest["remedy"] == ""
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Nothing is missing." in text and "proved" in text
    assert "Self-test passed: the tagged request arrived as a row after" in " ".join(text.split())
    assert all(question.title in text for question in DEMO_QUERIES)
    assert summaries[0]["complete"] is True and summaries[0]["expected"] == report.completeness.expected
    assert sum(report.api_faults.values()) > 0 and sum(report.sink_faults.values()) > 0


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("own", ["photos/a.jpg", "state/important.json", "demo.duckdb", ".git/config"])
@pytest.mark.parametrize("spelling", ["{}", "{}/.", "{}/../mine"])
def test_a_folder_of_somebody_else_is_refused_and_kept(tmp_path: Path, own: str, spelling: str) -> None:
    """Also when a file is named as the demo would name its own: exit code 2, one sentence, nothing removed."""
    (tmp_path / "mine" / own).parent.mkdir(parents=True)
    (tmp_path / "mine" / own).write_text("kept")
    before = _tree(tmp_path)
    result = CliRunner().invoke(
        app, ["demo", "--once", "--people", "10", "--folder", spelling.format(tmp_path / "mine")]
    )
    assert result.exit_code == 2 and "nothing was removed" in " ".join(result.output.split())
    assert _tree(tmp_path) == before and (tmp_path / "mine" / own).read_text() == "kept"


def test_a_second_demo_replaces_only_what_the_first_wrote(tmp_path: Path) -> None:
    """A file that was put beside it stays, and a link is removed instead of followed."""
    folder, outside = tmp_path / "demo", tmp_path / "outside"
    demo._empty(folder)
    outside.mkdir()
    (outside / "kept").touch()
    (folder / "notes.txt").touch()
    (folder / demo.WORKSPACE).touch()
    (folder / "state").symlink_to(outside)
    demo._empty(folder)
    assert _tree(folder) == {demo.MARKER, "notes.txt"} and (outside / "kept").exists()


async def test_the_verdict_notices_what_is_missing(tmp_path: Path) -> None:
    """An id that is neither in the workspace nor a dead letter is named, and the check is not complete."""
    from kql import LocalWorkspace
    from shared import tables
    from shared.clock import SimulatedClock
    from tests.fakes import NOON

    workspace = LocalWorkspace.create(None, SimulatedClock(NOON), [tables.load(tables.ACTIVITY)])
    workspace.store(tables.ACTIVITY, [{"ActivityId": "here"}, {"ActivityId": "here"}], ingested_at=NOON)
    connection = FakeWorld([Happening(0, 0, 1)]).restart()
    check = await check_completeness({"here", "gone"}, connection, workspace)
    assert not check.complete and check.missing == ("gone",) and check.copies == 1
    workspace.close()
