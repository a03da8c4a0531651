"""A backtest says what the schedule would have said: the same runs, the same rows, and nothing before its time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from azure.core.credentials import AccessToken
from typer.testing import CliRunner

from kql import LocalWorkspace
from sandbox.compliance.server import Served
from sandbox.query_api import query_app
from sentinel.tools.backtest import engine
from sentinel.tools.backtest.azure import AzureWorkspace
from sentinel.tools.backtest.engine import Past
from sentinel.tools.backtest.report import Line, run_backtest
from sentinel.tools.check.bind import Bound
from sentinel.tools.cli import app
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.prove.cases import NOW, rows
from sentinel.tools.prove.execute import scenes
from sentinel.tools.prove.stage import GET_WATCHLIST, LOCAL_WATCHLIST, watchlist_table
from sentinel.tools.prove.verdict import bound_queries
from shared.clock import SimulatedClock
from shared.tables import ACTIVITY, HEALTH

OWN = {ACTIVITY, HEALTH}
HOURS = timedelta(hours=3)
# One of each shape: a single row, a threshold, a sequence, a first sight, a count that was reported before.
SHAPES = (
    "claude-sso-disabled",
    "claude-access-probing",
    "claude-failures-then-success",
    "claude-unapproved-connector",
    "claude-hook-denials-one-person",
    "claude-sign-in-around-sso",
)


@contextmanager
def past_of(file: File[Rule], path: Path | None = None) -> Iterator[Past]:
    """The past that the first firing test of a rule tells."""
    workspace = LocalWorkspace.create(path, SimulatedClock(NOW), content.own_tables().values())
    scene = next(scene for scene in scenes(file) if scene.case.fires)
    for one in scene.sent:
        workspace.store(one.table, [one.row()], ingested_at=NOW + one.ingested)
    past = Past(workspace, lists=scene.lists)
    workspace.close()
    yield past
    past.close()


def loaded(slug: str) -> tuple[File[Rule], Bound]:
    file = next(content.rule(path) for path in content.rule_paths() if path.stem == slug)
    return file, bound_queries([file])[slug]


@pytest.mark.sampled(6)
@pytest.mark.parametrize("slug", SHAPES)
def test_skipping_runs_leaves_no_alert_out(slug: str) -> None:
    """Only runs with news, and days that answer, are run: every run of the schedule would say the same."""
    file, bound = loaded(slug)
    query = engine.as_of(bound, engine.AT)
    with past_of(file) as past:
        quick = [(fired.moment, fired.rows) for fired in past.fired(file, bound, NOW - HOURS, NOW + HOURS)]
        step, slow = file.value.query_frequency, []
        for number in range(1, 2 * HOURS // step + 1):
            moment = NOW - HOURS + number * step
            if found := past.ask(query, moment, file.value.query_period).objects():
                slow.append((moment, found))
    assert quick
    assert _sets(quick) == _sets(slow)


def _sets(value: Any) -> Any:
    """The same without the order of lists: what make_set answers has none."""
    if isinstance(value, dict):
        return {key: _sets(each) for key, each in value.items()}
    return sorted(map(repr, map(_sets, value))) if isinstance(value, (list, tuple)) else value


def test_a_run_knows_only_what_had_arrived() -> None:
    """Before the activity was there nothing fires; the first run after it does, once."""
    file, bound = loaded("claude-sso-disabled")
    with past_of(file) as past:
        day = timedelta(days=1)
        fired = list(past.fired(file, bound, NOW - day, NOW + day))
        assert len(fired) == 1
        assert list(past.fired(file, bound, NOW - day, fired[0].moment - timedelta(minutes=5))) == []


# One that joins, one that is fed by three tables, one that reaches them through functions, one without activities.
BESIDE = (
    "claude-risky-user-then-content",
    "claude-detection-disabled",
    "claude-leaver-moves-data",
    "claude-bridge-secret-read",
)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("slug", BESIDE)
def test_rules_beside_other_products_are_looked_back_on_too(slug: str) -> None:
    """Their rows are read from the workspace, each known from the moment it arrived, and the rule says what it says."""
    file, bound = loaded(slug)
    scene = next(scene for scene in scenes(file) if scene.case.fires)
    every = [*content.own_tables().values(), *content.neighbor_tables().values(), watchlist_table()]
    workspace = LocalWorkspace.create(None, SimulatedClock(NOW), every, given=(GET_WATCHLIST,))
    for one in scene.sent:
        workspace.store(one.table, [one.row()], ingested_at=NOW + one.ingested)
    workspace.store(LOCAL_WATCHLIST, scene.lists, ingested_at=NOW)
    rows_read: dict[str, int] = {}
    span = (NOW - HOURS, NOW + HOURS)
    (line,) = run_backtest(workspace, [file], {slug: bound}, *span, tell=rows_read.__setitem__)
    (blind,) = run_backtest(workspace, [file], {slug: bound}, *span, neighbors=False)
    workspace.close()
    assert line.not_run is None and line.alerts > 0
    assert {one.table for one in scene.sent} - OWN <= rows_read.keys()
    assert blind.not_run is not None and "which were not read" in blind.not_run


def test_what_watchlists_except_is_excepted() -> None:
    """Today's exceptions count in the past as well: who is muted for the rule raises nothing."""
    file, bound = loaded("claude-sso-disabled")
    scene = next(scene for scene in scenes(file) if scene.case.fires)
    tables = [*content.own_tables().values(), watchlist_table()]
    workspace = LocalWorkspace.create(None, SimulatedClock(NOW), tables, given=(GET_WATCHLIST,))
    for one in scene.sent:
        workspace.store(one.table, [one.row()], ingested_at=NOW + one.ingested)
    span = (NOW - HOURS, NOW + HOURS)
    (loud,) = run_backtest(workspace, [file], {file.slug: bound}, *span)
    muted = {"WatchlistAlias": "ClaudeTuning", "SearchKey": file.slug, "Rule": file.slug, "Entity": loud.subjects[0][0]}
    muted["Until"] = "2099-01-01"
    workspace.store(LOCAL_WATCHLIST, [muted], ingested_at=NOW)
    (quiet,) = run_backtest(workspace, [file], {file.slug: bound}, *span)
    workspace.close()
    assert loud.alerts == 1 and quiet.alerts == 0


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A workspace that got one activity of forty days ago as history."""
    path = tmp_path / "old.duckdb"
    workspace = LocalWorkspace.create(path, SimulatedClock(NOW), content.own_tables().values())
    old = {"type": "org_sso_toggled", "actor": "admin", "enabled": False, "created": "-40d", "backfill": True}
    workspace.store(ACTIVITY, rows(old), ingested_at=NOW)
    workspace.close()
    return path


def test_history_counts_as_if_the_bridge_had_been_there(old: Path) -> None:
    """What was carried as history months later fires in the run after it happened, and the report names nobody."""
    told = report(old)
    assert told["alerts"] == 1
    happened = NOW - timedelta(days=40)
    assert happened.isoformat() < told["first"] <= (happened + timedelta(minutes=6)).isoformat()
    assert told["top"] == [1]


def test_subjects_are_named_only_when_asked_for() -> None:
    """A report counts whom alerts are about; addresses stand in it by wish."""
    subjects = (("admin@example.com", 2), ("ana@example.com", 1))
    line = Line("claude-sso-disabled", "High", 3, NOW, NOW, subjects)
    assert "@" not in json.dumps(line.as_json(show_subjects=False))
    assert line.as_json(show_subjects=True)["top"] == dict(subjects)


def test_the_operators_door_leads_here(old: Path) -> None:
    """`claude-bridge backtest` takes the same arguments and gives the same report."""
    command = [sys.executable, "-m", "shared.cli", *asked(old)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == report(old)


def test_a_served_workspace_says_what_the_file_says(old: Path) -> None:
    """Through the official client over HTTP, types and moments come back the same."""
    workspace = LocalWorkspace.create(old, SimulatedClock(NOW), content.own_tables().values())
    file, bound = loaded("claude-sso-disabled")
    reader = Mock(spec=["get_token"])
    reader.get_token.return_value = AccessToken("reader", 4_102_444_800)
    answers = []
    with Served(query_app({"w1": workspace})) as served:
        for source in (workspace, AzureWorkspace("w1", reader, served.url)):
            past = Past(source)
            span = (NOW - timedelta(days=41), NOW)
            answers.append([(fired.moment, fired.rows) for fired in past.fired(file, bound, *span)])
            past.close()
    workspace.close()
    assert answers[0] and answers[0] == answers[1]


def asked(path: Path) -> list[str]:
    span = ["--from", f"{NOW - timedelta(days=41):%Y-%m-%d}", "--to", f"{NOW:%Y-%m-%d}"]
    return ["backtest", *span, "--local", str(path), "--only", "claude-sso-disabled", "--json"]


def report(path: Path) -> dict[str, Any]:
    """The line of JSON about one rule."""
    result = CliRunner().invoke(app, asked(path))
    assert result.exit_code == 0, result.output
    line: dict[str, Any] = json.loads(result.stdout)
    return line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--from", "2026-11-02", "--to", "2026-11-01", "--local", "x"], "at least an hour after"),
        (
            [*("--from", "2026-11-01", "--to", "2026-11-02"), "--workspace-id", "w", "--query-endpoint", "http://far"],
            "--query-endpoint must start with https",
        ),
        (["--from", "2026-11-01", "--to", "2026-11-02"], "one of --local and --workspace-id"),
        (["--from", "2026-11-01", "--to", "2026-11-02", "--local", "nowhere.duckdb"], "there is no file"),
        (["--from", "2026-11-01", "--to", "2026-11-02", "--local", __file__], "it is not a workspace file"),
        (["--from", "2026-11-01", "--to", "2026-11-02", "--local", "x", "--only", "claude-nothing"], "no rule"),
    ],
)
def test_what_cannot_be_looked_back_on_is_told(arguments: list[str], reason: str) -> None:
    """A span that runs backwards, no workspace or two, a missing file and an unknown rule are refused in words."""
    result = CliRunner().invoke(app, ["backtest", *arguments])
    assert result.exit_code == 2
    assert reason in " ".join(result.output.replace("│", " ").split())


def test_only_times_are_changed() -> None:
    """`now()` and `ago()` are taken at the moment of the run, and the span of news may be replaced."""
    _, bound = loaded("claude-feed-silent")
    text = engine.as_of(bound, "MOMENT")
    assert "now()" not in text and "ago(" not in text
    assert text.count("MOMENT") == bound.text.count("now()") + bound.text.count("ago(")
    wide = engine.as_of(bound, "MOMENT", instead={timedelta(minutes=15): timedelta(days=1)})
    assert "(MOMENT - 1d)" in wide and "(MOMENT - quietRuns)" in wide
