"""`estimate`: right figures from a known feed, shown arithmetic, and not a byte written."""

import json
from datetime import timedelta

import pytest

from sandbox.faults import Fault
from shared import tables
from shared.models import Window
from shared.runs import costs
from shared.runs.costs import Prices, Term
from shared.runs.estimate import Estimate, Share
from tests.cli.conftest import Desk
from tests.fakes import NOON, pace


def test_an_estimate_counts_what_the_bridge_would_send(desk: Desk) -> None:
    """Rows and bytes are those that carrying the same feed puts on the wire; people are counted once."""
    desk.happen(30)
    found = desk.json("estimate", "--days", "1")["connections"][0]
    assert found["activities_read"] == 30 and found["people_seen"] == 3 and not found["sampled"]
    assert found["rows_a_day"] == 30 and found["categories"]["chats"]["rows"] == 30
    desk.handle()
    (row,) = desk.world.workspace.query(
        "ClaudeBridgeHealth_CL | where RunKind == 'history' | summarize Bytes = sum(BytesSent), Rows = sum(RowsSent)"
    ).rows
    assert row[1] == 30
    # An upload is its rows, the commas between them and two brackets; these rows say backfill and true.
    told = found["categories"]["chats"]["bytes"]
    assert abs(told + 30 * (len("backfill") - len("live") + len("true") - len("false")) - int(row[0])) <= 4


def test_an_estimate_writes_nothing(desk: Desk) -> None:
    """No state, no row, no token asked for: it works with a key and nothing else."""
    desk.happen(5)
    assert desk.run("estimate", "--days", "1").exit_code == 0
    metrics = desk.world.ingestion.state.metrics
    assert not desk.state.exists() and metrics.calls.total() == 0 and metrics.rows_received == 0


def test_of_a_connection_that_has_begun_the_reads_are_known_as_ours(desk: Desk) -> None:
    """The health row names every request that was answered, and carries no activity; the place is kept."""
    desk.happen(5)
    assert desk.run("init").exit_code == 0
    position = desk.checkpoint.read_bytes()
    (found,) = desk.json("estimate", "--days", "2")["connections"]
    (row,) = desk.world.workspace.query(f"{tables.HEALTH} | where RunKind == 'estimate'").objects()
    assert row["State"] == "ok" and row["Requests"] == found["requests_made"] == len(row["RequestIds"]) > 1
    assert row["RowsSent"] == 0 and desk.rows() == 0 and desk.checkpoint.read_bytes() == position


def test_a_store_that_fails_costs_only_the_health_row(desk: Desk) -> None:
    """The estimate is told all the same; what could not be told stands on standard error."""
    desk.happen(5)
    assert desk.run("init").exit_code == 0
    desk.checkpoint.unlink()
    desk.checkpoint.mkdir()
    result = desk.run("estimate", "--days", "1")
    assert result.exit_code == 0 and "5 activities" in result.stdout
    assert "no health row could mark these reads" in result.stderr


def test_an_estimate_needs_no_azure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is deployed: neither endpoint, rule, workspace nor state is set."""
    desk.happen(5)
    for name in ("INGESTION_ENDPOINT", "DCR_IMMUTABLE_ID", "WORKSPACE_ID", "STATE_DIR", "IDENTITY_ENDPOINT"):
        monkeypatch.delenv(name)
    assert desk.json("estimate", "--days", "1")["connections"][0]["activities_read"] == 5


def test_a_sample_says_so_and_reckons_the_rest(desk: Desk) -> None:
    """Twelve hours of each day, one activity in every hour: a day's rows are twice those read."""
    for hours in range(1, 26):
        desk.happen(1, hours_ago=hours, name=f"hourly_{hours}")
    found = desk.json("estimate", "--days", "1", "--sample-hours", "12")["connections"][0]
    assert found["sampled"] and found["factor"] == 2 and found["activities_read"] == 12
    assert found["rows_a_day"] == 24 and found["requests_made"] == 12
    text = desk.run("estimate", "--days", "1", "--sample-hours", "12").stdout
    assert "A sample: 12 hours of each day were read; figures a day are those x 24/12." in text


def test_prices_are_the_readers_own(desk: Desk) -> None:
    """Without a price the table says `your price`; with one it multiplies."""
    desk.happen(20)
    open_sums = desk.run("estimate", "--days", "1").stdout
    assert open_sums.count("x your price") == 3
    found = desk.json("estimate", "--days", "1", "--price-per-gb", "2.5", "--interactive-price", "0.1")
    ingested, interactive, long_term = found["connections"][0]["costs"]
    month = found["connections"][0]["gb_a_month"]
    assert ingested["money_a_month"] == pytest.approx(month * 2.5)
    assert interactive["money_a_month"] == pytest.approx(month * 9 * 0.1)
    assert long_term["money_a_month"] is None and long_term["gb"] == pytest.approx(month * 12)


def test_what_is_only_counted_makes_no_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """MINIMIZE is heeded; pseudonymous rows are weighed without the real key."""
    desk.happen(6)
    monkeypatch.setenv("MINIMIZE", json.dumps({"chats": "count-only"}))
    found = desk.json("estimate", "--days", "1")["connections"][0]
    assert found["only_counted"] == 6 and found["categories"] == {} and found["rows_a_day"] == 0
    monkeypatch.setenv("MINIMIZE", json.dumps({"chats": "pseudonymous"}))
    assert desk.json("estimate", "--days", "1")["connections"][0]["categories"]["chats"]["rows"] == 6


def test_repeated_pages_and_odd_items_are_weighed_once(desk: Desk) -> None:
    """A page served twice counts once; what is no activity is counted as what would be dead letters."""
    desk.happen(10)
    desk.world.api_faults.add(Fault("odd_row", options={"bodies": (b"42",)}))
    found = desk.json("estimate", "--days", "1")["connections"][0]
    assert found["activities_read"] == 11 and found["would_be_set_aside"] == 1
    assert found["categories"]["chats"]["rows"] == 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--connection", "nobody"), "no connection is called nobody; there are: default"),
        (("--long-term-price", "inf"), "a price must be a number"),
    ],
)
def test_an_impossible_estimate_is_refused(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    """One sentence, exit code 2."""
    assert says in desk.refused("estimate", *arguments)


@pytest.mark.parametrize(
    "arguments", [("--days", "0"), ("--sample-hours", "25"), ("--price-per-gb", "-1"), ("--price-per-gb", "nan")]
)
def test_numbers_out_of_range_are_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    """The command's own limits, before anything is asked."""
    assert desk.run("estimate", *arguments).exit_code == 2 and len(desk.world.feed) == 0


def test_a_key_that_is_missing_or_refused_is_one_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing: cannot start. Refused by the API: stopped."""
    desk.world.api.state.keys.clear()
    refused = desk.run("estimate")
    assert refused.exit_code == 1 and refused.stdout == ""
    assert refused.stderr.splitlines()[-1].startswith("stopped: the key is invalid, deactivated or expired (401")
    monkeypatch.delenv("COMPLIANCE_ACCESS_KEY")
    assert "is waiting for its key" in desk.refused("estimate")


def test_requests_a_day_are_windows_times_pages() -> None:
    """A quiet feed costs one request a window; a busy one as many as its pages need."""
    quiet = {term.what: term.amount for term in costs.requests_a_day(100, pace())}
    assert quiet == {
        "live reading": 1296,
        "live reading, long overlap": 144,
        "sweeps": 96,
        "access transparency": 1,
        "daily proof": 1,
    }
    busy = {term.what: term.amount for term in costs.requests_a_day(2_400_000, pace())}
    # 2,400,000 a day: 6,667 in four minutes, 51,667 in 31, 100,000 an hour; 5,000 a page.
    assert busy["live reading"] == 1296 * 2 and busy["live reading, long overlap"] == 144 * 11
    assert busy["sweeps"] == 96 * 20 and busy["daily proof"] == 480


def test_volume_counts_our_own_rows_once() -> None:
    """What our requests will leave in the feed is added, less what they left there already."""
    window = Window(NOON - timedelta(days=2), NOON)
    found = Estimate("a", window, 2, 1.0, ours=200, categories={"compliance_api": Share(rows=10, bytes=8000)})
    requests = (Term("live reading", 1000, ""),)
    activities, own, health = costs.volume(found, requests).terms
    assert activities.amount == 4000 and own.amount == (1000 - 100) * 800 and health.amount > 0
    found.ours = 4000
    assert costs.volume(found, requests).terms[1].amount == 0


@pytest.mark.parametrize(("interactive", "total", "stored"), [(12, 24, (9, 12)), (3, 3, (0, 0)), (0, 12, (0, 9))])
def test_retention_costs_the_months_beyond_what_is_included(
    interactive: int, total: int, stored: tuple[int, int]
) -> None:
    """Three months are included; long-term begins where interactive ends."""
    lines = costs.costs(10.0, Prices(), interactive_months=interactive, total_months=total)
    assert (lines[1].gb, lines[2].gb) == (10.0 * stored[0], 10.0 * stored[1])
