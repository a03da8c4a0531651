"""First use: load a feed into a local workspace with the production code, and query it."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kql import LocalWorkspace
from kql.answer import datetime_text
from sandbox.activity import feed_entry
from sandbox.cli import app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.run import deliver_file, state_folder
from sandbox.tenant import samples
from sandbox.world import World, open_world
from shared import tables
from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.streams.activity.fold import unfold

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def quiet(*_: int) -> None:
    """Ignore progress."""


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


def stored_rows(path: Path) -> list[dict[str, Any]]:
    """The rows as the bridge sent them: empty cells out, times as text."""
    workspace = LocalWorkspace.create(path, SystemClock(), [tables.load(name) for name in tables.table_names()])
    rows = workspace.query("ClaudeActivity_CL").objects()
    workspace.close()
    return [
        {
            name: f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if isinstance(value, datetime) else value
            for name, value in row.items()
            if value is not None and value != ""
        }
        for row in rows
    ]


async def test_every_documented_type_arrives_with_no_field_lost(tmp_path: Path) -> None:
    """All 527 types, through API, normalizer, endpoint and workspace, are rebuilt from their rows value for value."""
    activities = {activity["id"]: activity for activity in samples(seed=3, at=AT)}
    file = written(tmp_path / "all.jsonl", list(activities.values()))
    delivered = await deliver_file(file, tmp_path / "w.duckdb", quiet)
    assert delivered.failure is None and delivered.completeness is not None and delivered.completeness.complete
    rows = {row["ActivityId"]: row for row in stored_rows(tmp_path / "w.duckdb")}
    assert len(activities) == len(rows) == delivered.sent == 527
    names_of_content = {"filename", "title", "description"}
    for id, activity in activities.items():
        withheld = set(rows[id].get("Handling", {}).get("withheld", []))
        assert withheld <= names_of_content
        expected = {name: None if name in withheld else value for name, value in activity.items()}
        assert unfold(rows[id]) == expected, activity["type"]


async def test_undocumented_and_odd_lines_arrive_or_are_set_aside(tmp_path: Path) -> None:
    """Every line, whatever it contains, becomes a row or a dead letter."""
    unknown = {
        "id": "x1",
        "type": "never_seen",
        "created_at": "2026-10-01T12:00:00Z",
        "actor": "who",
        "w": [{"a": None}],
    }
    lines = [
        unknown,
        {},
        {"id": None, "n": 1},
        {"id": "x2", "created_at": None},
        '{"id":"x3","created_at":"2026-10-01T12:00:00Z","s":"\\ud800","n":123456789012345678901234567890}',
        {"id": "x4", "created_at": "2026-10-01T12:00:00Z", "blob": "y" * 2_000_000},
        '"text"',
        "17",
        "null",
        "[1]",
        "",
        unknown,
    ]
    delivered = await deliver_file(written(tmp_path / "odd.jsonl", lines), tmp_path / "w.duckdb", quiet)
    assert delivered.completeness is not None
    assert (
        delivered.completeness.in_workspace,
        delivered.completeness.dead_letters,
        delivered.completeness.missing,
    ) == (6, 4, ())
    rows = {row["ActivityId"]: row for row in stored_rows(tmp_path / "w.duckdb")}
    assert unfold(rows["x1"]) == unknown
    assert rows["x3"]["Details"]["n"] == "123456789012345678901234567890" and rows["x3"]["Handling"]["escaped"]
    overflow = rows["x4"]["Handling"]["overflow"]
    kept = json.loads((state_folder(tmp_path / "w.duckdb") / overflow["pointer"]).read_bytes())
    assert kept["blob"] == "y" * 2_000_000


async def test_running_again_adds_nothing_and_a_lost_workspace_is_filled_anew(tmp_path: Path) -> None:
    """The state belongs to the workspace: it prevents repeats, and is removed if the workspace is gone."""
    file, workspace = written(tmp_path / "f.jsonl", list(samples(seed=1, at=AT))[:40]), tmp_path / "w.duckdb"
    first = await deliver_file(file, workspace, quiet)
    again = await deliver_file(file, workspace, quiet)
    assert (first.sent, again.sent) == (40, 0)
    workspace.unlink()
    rerun = await deliver_file(file, workspace, quiet)
    assert rerun.sent == 40 and rerun.completeness is not None and rerun.completeness.complete


async def test_activities_dated_ahead_of_us_arrive_too(tmp_path: Path) -> None:
    """A file may contain dates of next month; they are kept."""
    ahead = (SystemClock().now() + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file = written(tmp_path / "f.jsonl", [{"id": "x", "type": "user_logged_out", "created_at": ahead}])
    delivered = await deliver_file(file, tmp_path / "w.duckdb", quiet)
    assert delivered.completeness is not None and delivered.completeness.in_workspace == 1


@pytest.mark.parametrize("line", ["{", '{"a":}', "activity", '{"a":1} {"b":2}', "\x00"])
async def test_invalid_json_line_is_named(tmp_path: Path, line: str) -> None:
    """It cannot be served, and skipping it would lose it: the error has file, line and remedy."""
    file = written(tmp_path / "bad.jsonl", [{"id": "x"}, line])
    with pytest.raises(ConfigError, match=r"bad\.jsonl, line 2: .*fix or remove the line"):
        await deliver_file(file, tmp_path / "w.duckdb", quiet)


@pytest.fixture
def organization() -> Iterator[World]:
    """A stand-in for a real organization: another API on another port."""
    now = SystemClock().now()
    feed = SimulatedFeed(
        [feed_entry({**activity, "created_at": (now - timedelta(minutes=90 + n)).strftime("%Y-%m-%dT%H:%M:%SZ")})
         for n, activity in enumerate(samples(seed=5, at=AT))]
    )  # fmt: skip
    with open_world(SystemClock(), feed=feed) as world:
        yield world


def invoked(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_live_feed_is_carried_over_http_and_only_its_owner_can_read_it(
    organization: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and URL from the environment, without Azure; only the owner can read file, folder and log."""
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", organization.key)
    monkeypatch.setenv("COMPLIANCE_API_URL", organization.url)
    workspace = tmp_path / "w.duckdb"
    result = invoked("run", "--live", "--days", "7", "--workspace", workspace)
    assert result.exit_code == 0, result.output
    assert "527 new rows" in result.output.replace("\n", " ")
    for path in [workspace, state_folder(workspace)]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    log = (state_folder(workspace) / "bridge.log").read_text()
    assert "run.ended" in log and organization.key not in log and "@" not in log
    again = invoked("run", "--live", "--days", "7", "--workspace", workspace)
    assert again.exit_code == 0 and " 0 new rows" in again.output


@pytest.mark.parametrize(
    ("key", "url", "says"),
    [
        ("", "https://api.example.com", "set COMPLIANCE_ACCESS_KEY to a Compliance Access Key"),
        ("sk-ant-api03-x", "https://api.example.com", "this is a Claude API key (sk-ant-api03-)"),
        ("hunter2", "https://api.example.com", "must start with sk-ant-api01-"),
        ("sk-ant-api01-x", "http://api.example.com", "must start with https://"),
        ("sk-ant-api01-x", "https://api.example.com/v1", "without a path"),
        ("sk-ant-api01-x", "api.example.com", "an address such as"),
    ],
)
def test_a_wrong_key_or_address_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, url: str, says: str
) -> None:
    """Exit code 2, what to do, and no key in the message."""
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", key)
    monkeypatch.setenv("COMPLIANCE_API_URL", url)
    result = invoked("run", "--live", "--workspace", tmp_path / "w.duckdb")
    assert result.exit_code == 2 and says in result.output
    assert "hunter2" not in result.output and "Traceback" not in result.output


def test_a_refused_key_ends_at_once_with_the_remedy(
    organization: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retrying does not help against a 401."""
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", "sk-ant-api01-somebody-elses")
    monkeypatch.setenv("COMPLIANCE_API_URL", organization.url)
    result = invoked("run", "--live", "--days", "1", "--workspace", tmp_path / "w.duckdb")
    assert result.exit_code == 1 and "make a new one" in result.output


def test_a_world_is_closed_to_the_machines_other_users(organization: World) -> None:
    """A local port can be reached by every user: key, token and identity header are random and required."""
    import httpx

    activities = f"{organization.url}/v1/compliance/activities"
    assert httpx.get(activities, headers={"x-api-key": "sk-ant-api01-sandbox"}).status_code == 401
    workspaces = f"{organization.url}/v1/workspaces/5a5a5a5a-0000-4000-8000-00000000c1a0/query"
    refused = httpx.post(workspaces, json={"query": "ClaudeActivity"}, headers={"authorization": "Bearer sandbox"})
    assert refused.status_code == 401
    assert httpx.get(f"{organization.url}/identity/token", headers={"x-identity-header": "x"}).status_code == 401


def test_questions_are_answered_as_table_json_and_csv(tmp_path: Path) -> None:
    """The three forms, from one file; a query may come from standard input."""
    file = written(tmp_path / "f.jsonl", [{"id": "x", "type": "t", "created_at": "2026-10-01T12:00:00Z"}])
    workspace = tmp_path / "w.duckdb"
    assert invoked("run", "--feed", file, "--workspace", workspace).exit_code == 0
    query = "ClaudeActivity | project ActivityId, EventTime"
    assert "2026-10-01 12:00:00" in invoked("kql", "--workspace", workspace, query).output
    answer = json.loads(invoked("kql", "--workspace", workspace, "--json", query).output)
    assert answer == [{"ActivityId": "x", "EventTime": datetime_text(AT)}]
    assert invoked("kql", "--workspace", workspace, "--csv", query).output.startswith("ActivityId,EventTime\nx,")
    piped = CliRunner().invoke(app, ["kql", "--workspace", str(workspace), "--csv", "-"], input=query)
    assert piped.output.startswith("ActivityId,")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["kql", "ClaudeActivity", "--workspace", "none.duckdb"], 2, "none.duckdb not found"),
        (["run", "--workspace", "w.duckdb"], 2, "choose one source"),
        (["run", "--live", "--feed", "f", "--workspace", "w.duckdb"], 2, "choose one source"),
        (["run", "--feed", "missing.jsonl", "--workspace", "w.duckdb"], 2, "cannot be read"),
        (["run", "--feed", "f", "--workspace", "no/such/folder/w.duckdb"], 2, "not a folder"),
    ],
)
def test_impossible_commands_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    """One sentence, a non-zero exit, no traceback, and no file left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_text('{"id":"x"}\n')
    result = invoked(*arguments)
    assert result.exit_code == code and says in result.output.replace("\n", " ")
    assert "Traceback" not in result.output and not list(tmp_path.glob("*.duckdb"))


def test_a_query_that_cannot_be_answered_says_where(tmp_path: Path) -> None:
    """Position and names for a wrong query; a file that is not a workspace is named."""
    workspace = tmp_path / "w.duckdb"
    LocalWorkspace.create(workspace, SystemClock(), [tables.load(tables.ACTIVITY)]).close()
    wrong = invoked("kql", "--workspace", workspace, "ClaudeActivity | wher x")
    assert wrong.exit_code == 1 and "line 1" in wrong.output
    unknown = invoked("kql", "--workspace", workspace, "SigninLogs | count")
    assert unknown.exit_code == 1 and "ClaudeActivity_CL" in unknown.output
    (tmp_path / "text").write_text("not a database" * 100)
    assert "not a workspace file" in invoked("kql", "--workspace", tmp_path / "text", "print 1").output
