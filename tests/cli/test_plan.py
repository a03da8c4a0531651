"""`status` and `plan`: what they show, what they change, what they refuse."""

from datetime import timedelta

import pytest

from sandbox.faults import Fault
from tests.cli.conftest import Desk

DAY = timedelta(days=1)


def test_status_tells_a_connection_that_has_not_begun(desk: Desk) -> None:
    """It says so with the remedy, exits 1, and makes no state."""
    result = desk.run("status")
    assert result.exit_code == 1 and "run `claude-bridge init`" in result.stdout
    assert desk.files() == {}


def test_status_shows_where_a_connection_stands(desk: Desk) -> None:
    """Watermark, lag, history with its share, ledger and empty waiting rooms; exit 0."""
    desk.happen(5)
    desk.handle(days=2)
    (found,) = desk.json("status")["connections"]
    assert found["initialized"] and found["lag_seconds"] < 120 and found["problems"] == []
    assert found["plan"]["history"] == {"done": 3} and found["history_percent"] == 100
    assert found["ledger"]["hours"] >= 1 and found["ledger"]["first"] <= found["ledger"]["last"]
    assert found["dead_letters"] == {} and found["health_rows_waiting"] == 0 and found["gaps"] == 0
    text = desk.run("status").stdout
    assert "3 done (100% of listed history)" in text and "watermark" in text


def test_status_works_without_network(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """State alone is read: nothing is asked of addresses that do not answer."""
    desk.handle(days=1)
    for name in ("COMPLIANCE_API_URL", "INGESTION_ENDPOINT", "QUERY_ENDPOINT", "IDENTITY_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    before = dict(desk.world.ingestion.state.metrics.calls)
    assert desk.json("status")["connections"][0]["initialized"]
    assert dict(desk.world.ingestion.state.metrics.calls) == before


def test_status_counts_what_was_set_aside_by_reason(desk: Desk) -> None:
    """A refused row waits under the service's word, and status exits 1 with the remedy."""
    desk.happen(4)
    desk.world.sink_faults.add(
        Fault("refuse_rows", times=1000, options={"where": lambda row: row.get("ActivityId") == "activity_0002"})
    )
    desk.handle()
    (found,) = desk.json("status", code=1)["connections"]
    assert found["dead_letters"] == {"400": 1} and "`replay`" in found["problems"][0]


def test_status_tells_damaged_state_and_health_rows_that_wait(desk: Desk) -> None:
    """An unreadable checkpoint is told beside what can be read; health rows refused by the sink are counted."""
    desk.handle()
    desk.world.sink_faults.add(Fault("forbidden", times=100))
    desk.run("replay")
    desk.checkpoint.write_bytes(b"{")
    (found,) = desk.json("status", code=1)["connections"]
    assert not found["initialized"] and found["health_rows_waiting"] > 0
    assert any("checkpoint cannot be read" in each for each in found["problems"])
    assert found["plan"]["history"]


def test_plan_add_is_listed_and_read_once(desk: Desk) -> None:
    """A period becomes windows of a day, newest first; a turn of the plan carries them."""
    desk.happen(3, hours_ago=50)
    desk.handle(days=0)
    begin, end = f"{desk.now - 4 * DAY:%Y-%m-%d}", f"{desk.now - DAY:%Y-%m-%d}"
    assert desk.run("plan", "add", "--from", begin, "--to", end).exit_code == 0
    (plan,) = desk.json("plan", "list")["plans"]
    assert [w["kind"] for w in plan["windows"]] == ["history"] * 3
    assert plan["windows"][0]["to"].startswith(end) and plan["windows"][-1]["from"].startswith(begin)
    assert desk.run("run").exit_code == 0 and desk.rows() == 3
    assert desk.json("plan", "list")["plans"][0]["windows"] == []
    assert {w["state"] for w in desk.json("plan", "list", "--ended")["plans"][0]["windows"]} == {"done"}
    assert "history" in desk.run("plan", "list", "--ended").stdout


def test_a_paused_window_is_left_alone_until_it_is_resumed(desk: Desk) -> None:
    """Pause and resume work on one window, and on the whole plan."""
    desk.happen(3, hours_ago=50)
    desk.handle(days=0)
    period = ("--from", f"{desk.now - 3 * DAY:%Y-%m-%d}", "--to", f"{desk.now - DAY:%Y-%m-%d}")
    desk.run("plan", "add", *period, "--kind", "repair")
    ids = [w["id"] for w in desk.json("plan", "list")["plans"][0]["windows"] if w["kind"] == "repair"]
    assert len(ids) == 2
    for each in ids:
        desk.run("plan", "pause", str(each))
    desk.run("run")
    assert desk.rows() == 0
    desk.run("plan", "resume", str(ids[0]))
    desk.run("plan", "resume", str(ids[1]))
    desk.run("plan", "pause")
    desk.run("run")
    assert desk.rows() == 0 and "paused as a whole" in desk.run("status").stdout
    desk.run("plan", "resume")
    desk.run("run")
    assert desk.rows() == 3


def test_a_cancelled_window_is_never_read(desk: Desk) -> None:
    """It is listed as cancelled, and cannot be cancelled, paused or resumed once more."""
    desk.happen(3, hours_ago=100)
    desk.handle(days=0)
    desk.run("plan", "add", "--from", f"{desk.now - 6 * DAY:%Y-%m-%d}", "--to", f"{desk.now - DAY:%Y-%m-%d}")
    for window in desk.json("plan", "list")["plans"][0]["windows"]:
        assert desk.run("plan", "cancel", str(window["id"])).exit_code == 0
    desk.run("run")
    assert desk.rows() == 0
    for verb in ("cancel", "pause", "resume"):
        assert "is cancelled already" in desk.refused("plan", verb, str(window["id"]))


@pytest.mark.parametrize(
    ("begin", "end", "says"),
    [
        (2, 3, "must start before it ends"),
        (2, 2, "must start before it ends"),
        (3, -1, "ends in the future"),
        (-1, -2, "ends in the future"),
        (6 * 365.25 + 9, 3, "keeps six years"),
    ],
)
def test_an_impossible_period_is_refused(desk: Desk, begin: float, end: float, says: str) -> None:
    """One sentence, exit code 2, and the plan is as it was (days before now)."""
    desk.handle(days=0)
    before = desk.json("plan", "list", "--ended")
    moments = [f"{desk.now - days * DAY:%Y-%m-%dT%H:%M}" for days in (begin, end)]
    assert says in desk.refused("plan", "add", "--from", moments[0], "--to", moments[1])
    assert desk.json("plan", "list", "--ended") == before


def test_a_period_at_the_edge_of_six_years_is_taken(desk: Desk) -> None:
    """Six years and six days are history, in one window for each day."""
    desk.handle(days=0)
    desk.run("plan", "pause")
    begin = desk.now - timedelta(days=6 * 365 + 6)
    result = desk.run("plan", "add", "--from", f"{begin:%Y-%m-%d}", "--to", f"{desk.now - DAY:%Y-%m-%d}")
    assert result.exit_code == 0, result.output
    assert len([w for w in desk.json("plan", "list")["plans"][0]["windows"] if w["kind"] == "history"]) == 6 * 365 + 5


def test_an_overlap_with_what_waits_is_refused(desk: Desk) -> None:
    """It names the window in the way and adds nothing, not even the part that is free; the neighbor is no overlap."""
    desk.handle(days=0)

    def add(begin: int, end: int) -> tuple[str, ...]:
        return (
            "plan",
            "add",
            "--from",
            f"{desk.now - begin * DAY:%Y-%m-%d}",
            "--to",
            f"{desk.now - end * DAY:%Y-%m-%d}",
        )

    assert desk.run(*add(5, 3)).exit_code == 0
    before = desk.json("plan", "list")
    assert "nothing was added: window" in desk.refused(*add(9, 4))
    assert desk.json("plan", "list") == before
    assert desk.run(*add(9, 5)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("plan", "add"), "a period is missing"),
        (("plan", "add", "--from", "yesterday", "--to", "2026-01-02"), "'yesterday' is not a valid time"),
        (("plan", "add", "--from", "2026-02-30", "--to", "2026-03-01"), "is not a valid time"),
        (("plan", "add", "--from", "0001-01-01T00:00+14:00", "--to", "2026-01-02"), "is not a valid time"),
        (("plan", "cancel", "999"), "no window of the plan has the id 999"),
        (("plan", "pause", "999"), "no window of the plan has the id 999"),
        (("plan", "list", "--connection", "nobody"), "no connection is called nobody"),
        (("status", "--connection", "nobody"), "no connection is called nobody"),
    ],
)
def test_impossible_input_is_refused(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    """One sentence each, with exit code 2."""
    desk.handle(days=0)
    assert says in desk.refused(*arguments)


def test_a_plan_that_is_not_there_is_refused(desk: Desk) -> None:
    """Before `init` there is nothing to change: exit code 1 and what to do."""
    assert "start it with `claude-bridge init`" in desk.refused("plan", "list", code=1)
    assert "start it with `claude-bridge init`" in desk.refused("plan", "pause", code=1)


def test_several_connections(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --connection a change is for all; ids are a connection's own, so that a window needs a name."""
    monkeypatch.setenv("SECOND_KEY", desk.world.key)
    monkeypatch.setenv("CONNECTIONS", '[{"name": "one"}, {"name": "two", "key_setting": "SECOND_KEY"}]')
    desk.run("init", "--history-days", "1")
    assert "say which connection" in desk.refused("plan", "cancel", "1")
    assert desk.run("plan", "pause").exit_code == 0
    assert [plan["paused"] for plan in desk.json("plan", "list")["plans"]] == [True, True]
    assert desk.run("plan", "resume", "--connection", "two").exit_code == 0
    assert [plan["paused"] for plan in desk.json("plan", "list")["plans"]] == [True, False]
    assert desk.run("plan", "cancel", "1", "--connection", "two").exit_code == 0
