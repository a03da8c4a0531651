"""The page's server without a browser: access control, read-only, and cached results equal to the parsers'."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from kql import KqlRefused, LocalWorkspace
from sandbox.cli import app
from sandbox.page import app as page_app
from sandbox.page.reader import Reader
from sandbox.page.serve import Opened, open_page
from sentinel.tools.load import content
from shared import tables
from shared.clock import SimulatedClock
from tests.page.conftest import NOW, ROOT
from tools import optional

VENDOR = page_app.STATIC / "vendor" / "echarts.common.min.js"
ECHARTS_SHA256 = "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5"


@pytest.fixture
def client(opened: Opened) -> Iterator[httpx.Client]:
    """A browser of the person who started the page."""
    base = opened.address.partition("/?")[0]
    with httpx.Client(base_url=base, trust_env=False, follow_redirects=True, timeout=60) as made:
        assert made.get(opened.address).status_code == 200
        yield made


@pytest.fixture(scope="module")
def reader(workspace_file: Path) -> Iterator[Reader]:
    held = Reader.open_file(workspace_file, SimulatedClock(NOW), content.own_tables(), content.neighbor_tables())
    yield held
    held.close()


def test_without_the_key_nothing_is_shown(opened: Opened) -> None:
    """A port of this machine is open to all its users: page, files and data need the key."""
    base = opened.address.partition("/?")[0]
    for path in ("/", "/?key=guessed", "/static/page.js", "/api/page", "/api/tile/overview/totals"):
        assert httpx.get(base + path, trust_env=False).status_code == 401


def test_another_name_or_another_site_is_refused(client: httpx.Client) -> None:
    """DNS rebinding and cross-site requests with our cookie are refused."""
    assert client.get("/api/page", headers={"host": "rebound.example"}).status_code == 421
    assert client.get("/api/page", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_headers_are_strict(client: httpx.Client) -> None:
    """Scripts and styles come only from this server's files, and cannot read the key's cookie."""
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


def test_files_outside_the_folder_stay_there(client: httpx.Client) -> None:
    """Only the page's own files are served."""
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/vendor"):
        assert client.get(path).status_code == 404


def test_workspace_is_only_read(client: httpx.Client, workspace_file: Path) -> None:
    """No query changes the file by a byte or reads another file."""
    before = hashlib.sha256(workspace_file.read_bytes()).hexdigest()
    for query in (".drop table ClaudeActivity_CL", ".set Stolen <| ClaudeActivity", "['/etc/passwd']"):
        assert client.post("/api/kql", json={"query": query}).status_code == 422
    assert client.post("/api/kql", json={"query": "ClaudeActivity | count"}).json()["rows"][0][0] > 1000
    assert hashlib.sha256(workspace_file.read_bytes()).hexdigest() == before


def test_large_answers_are_cut_and_say_so(client: httpx.Client) -> None:
    """The browser gets a thousand rows at most, and `more` is set."""
    answer = client.post("/api/kql", json={"query": "ClaudeActivity | project ActivityId"}).json()
    assert len(answer["rows"]) == page_app.MOST_ROWS
    assert answer["more"] is True


@pytest.mark.parametrize("body", [b"", b"[]", b'{"query": 5}', b'{"kql": "print 1"}'])
def test_malformed_questions_are_refused(client: httpx.Client, body: bytes) -> None:
    """An invalid request body gets 400."""
    assert client.post("/api/kql", content=body).status_code == 400


@pytest.mark.parametrize(
    "path", ["/api/tile/overview/none", "/api/tile/none/totals", "/api/drill/none", "/api/choices/x"]
)
def test_unknown_tiles_are_not_found(client: httpx.Client, path: str) -> None:
    """A name that is not in the workbook is 404."""
    assert client.get(path).status_code == 404


def test_kept_activities_are_what_the_parser_says(workspace_file: Path, tmp_path: Path) -> None:
    """First copies by row number are the parser's rows, value for value, with copies and own reads among them."""
    clock = SimulatedClock(NOW)
    doubled = tmp_path / "doubled.duckdb"
    doubled.write_bytes(workspace_file.read_bytes())
    workspace = LocalWorkspace.create(doubled, clock, [tables.load(name) for name in tables.table_names()])
    some = workspace.query(f"{tables.ACTIVITY} | where ActivityType in ('compliance_api_accessed', 'sso_login_failed')")
    workspace.store(tables.ACTIVITY, some.objects(), ingested_at=NOW + timedelta(days=1))
    sorted_rows = "| project-away TimeGenerated, RunId | order by ActivityId asc"
    parsed = workspace.query(f"ClaudeActivity {sorted_rows}").objects()
    proof = workspace.query("ClaudeProof | order by Hour asc").objects()
    workspace.close()
    reader = Reader.open_file(doubled, clock, content.own_tables(), content.neighbor_tables())
    try:
        reader.cache_proof(NOW)
        kept = reader.query(f"ClaudeActivity {sorted_rows}").objects()
        assert len(some.rows) > 10
        assert any(row["IsOwnRead"] for row in parsed)
        assert [dict(sorted(row.items())) for row in kept] == [dict(sorted(row.items())) for row in parsed]
        assert reader.query("ClaudeProof | order by Hour asc").objects() == proof
    finally:
        reader.close()


def test_missing_columns_and_tables_read_as_empty(tmp_path: Path) -> None:
    """The page also shows a file of an older release, which lacks columns and tables."""
    clock, activity = SimulatedClock(NOW), tables.load(tables.ACTIVITY)
    old = tables.Table(activity.name, activity.stream, 1, "", activity.columns[:20])
    LocalWorkspace.create(tmp_path / "old.duckdb", clock, [old]).close()
    reader = Reader.open_file(tmp_path / "old.duckdb", clock, content.own_tables(), content.neighbor_tables())
    assert reader.query("ClaudeActivity | project ActivityId, Details, IsOwnRead").rows == []
    assert reader.query("ClaudeHealth").rows == []
    assert reader.present == frozenset()
    reader.close()


def test_rehearsal_sees_history_as_if_it_had_just_arrived(reader: Reader) -> None:
    """A rule's own filter on arrival and history lets everything of the period through, and nothing outside it."""
    rule = "ClaudeActivity | where IngestedAt > ago(5m) and not(IsBackfill) | summarize count(), min(EventTime)"
    start = NOW - timedelta(days=3)
    count, first = reader.rule_query(rule, NOW, start, NOW).answer(10).rows[0]
    bounds = f"datetime({start:%Y-%m-%dT%H:%M}) .. datetime({NOW:%Y-%m-%dT%H:%M})"
    (expected,) = reader.query(f"ClaudeActivity | where EventTime between ({bounds}) | count").rows[0]
    assert count == expected > 100
    assert first >= start


def test_a_question_can_be_stopped(reader: Reader) -> None:
    """Leaving a tab cancels its queries: a long query ends immediately, as a refusal."""
    many = "range {0} from 1 to {1} step 1 | extend k = 1"
    endless = f"{many.format('a', 3_000_000)} | join kind=inner ({many.format('b', 3000)}) on k | summarize sum(a * b)"
    asking = reader.asking(endless, NOW)
    timer = threading.Timer(0.3, asking.stop)
    timer.start()
    with pytest.raises(KqlRefused, match=r"(?i)interrupt"):
        asking.answer(10)
    timer.join()


def test_now_is_the_workspaces_own_time(workspace_file: Path, reader: Reader) -> None:
    """A demo of last month is shown as of its last row; a workspace that is written today, as of the clock."""
    assert reader.as_of() == NOW
    later = Reader.open_file(workspace_file, SimulatedClock(NOW + timedelta(days=90)), content.own_tables(), {})
    assert later.as_of() == later.newest()
    later.close()


def test_busy_or_foreign_files_are_refused(workspace_file: Path, tmp_path: Path) -> None:
    """A file that is not a workspace is refused with a message."""
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(OSError, match="not a workspace file"), open_page(tmp_path / "text.duckdb", SimulatedClock(NOW)):
        pass


def test_command_says_what_is_wrong(tmp_path: Path) -> None:
    """`sandbox page` exits with one sentence if the file is missing or is not a workspace."""
    asked = ["page", "--workspace", str(tmp_path / "none.duckdb")]
    missing = CliRunner().invoke(app, asked)
    assert (missing.exit_code, "not found; create one with" in missing.stderr) == (2, True)
    (tmp_path / "none.duckdb").write_text("no database")
    foreign = CliRunner().invoke(app, asked)
    assert (foreign.exit_code, "it is not a workspace file" in foreign.stderr) == (1, True)


def test_chart_library_is_the_published_one() -> None:
    """The vendored file is ECharts' own of the release in package.json, unchanged; its license is beside it."""
    assert hashlib.sha256(VENDOR.read_bytes()).hexdigest() == ECHARTS_SHA256
    assert "Apache License" in VENDOR.with_name("LICENSE.echarts.txt").read_text(encoding="utf-8")
    published = ROOT / "node_modules" / "echarts" / "dist" / VENDOR.name
    if missing := optional.missing("echarts"):
        pytest.skip(missing)
    assert published.read_bytes() == VENDOR.read_bytes()
