"""`prove` and `rebuild`: a hole is found, mended and proved; a lost ledger comes back without a row sent twice."""

from datetime import timedelta

import pytest

from sandbox.faults import Fault
from tests.cli.conftest import HOUR, Desk


def period(desk: Desk) -> tuple[str, ...]:
    """The six hours around what `happen` lets happen."""
    return ("--from", f"{desk.now - 6 * HOUR:%Y-%m-%dT%H:00}", "--to", f"{desk.now:%Y-%m-%dT%H:%M}")


def holds_back(*ids: str, times: int = 1) -> Fault:
    """The sink answers 204 to uploads with these activities, and stores none of the upload."""
    return Fault(
        "not_stored",
        times=times,
        match=lambda facts: any(isinstance(row, dict) and row.get("ActivityId") in ids for row in facts["elements"]),
    )


def test_a_row_that_was_accepted_and_not_stored_is_found_sent_and_proved(desk: Desk) -> None:
    """204 without a row: prove exits 1, --repair sends it, and then every hour is proved."""
    desk.happen(4, name="kept")
    desk.world.sink_faults.add(holds_back("lost_0000"))
    desk.handle()
    desk.happen(3, hours_ago=4, name="lost")
    desk.run("plan", "add", *period(desk))
    desk.run("run")
    assert (desk.rows("kept"), desk.rows("lost")) == (4, 0)

    found = desk.json("prove", *period(desk), code=1)["connections"][0]
    wrong = [hour for hour in found["hours"] if hour["verdict"] != "proved"]
    assert [(hour["feed"], hour["sent"], hour["rows"], hour["lacking"]) for hour in wrong] == [(3, 3, 0, 3)]
    assert not found["proved"] and found["workspace_asked"] and found["repaired"] == 0

    repaired = desk.run("prove", *period(desk), "--repair")
    assert repaired.exit_code == 1 and "3 rows were sent: prove again in 15 minutes" in repaired.stdout
    assert (desk.rows("kept"), desk.rows("lost")) == (4, 3)

    proved = desk.run("prove", *period(desk))
    assert proved.exit_code == 0 and "hours are proved" in proved.stdout and "missing" not in proved.stdout


def test_a_row_that_is_refused_when_it_is_sent_again_is_set_aside_not_missing(desk: Desk) -> None:
    """Accepted, not stored, then refused by the table: it waits once, the hour is proved, and replay delivers it."""
    desk.happen(3)
    desk.world.sink_faults.add(holds_back("activity_0000"))
    desk.handle()
    refuses = Fault("refuse_rows", times=1000, options={"where": lambda row: row.get("ActivityId") == "activity_0001"})
    desk.world.sink_faults.add(refuses)
    for repaired in ("2 rows were sent", "hours are proved", "hours are proved"):
        assert repaired in desk.run("prove", *period(desk), "--repair").stdout
    assert desk.rows() == 2
    proved = desk.json("prove", *period(desk))["connections"][0]
    assert [(hour["sent"], hour["dead"], hour["rows"]) for hour in proved["hours"] if hour["feed"]] == [(2, 1, 2)]

    desk.world.sink_faults.clear()
    assert desk.run("replay").exit_code == 0 and desk.rows() == 3
    again = desk.json("prove", *period(desk))["connections"][0]
    assert [(hour["sent"], hour["dead"], hour["rows"]) for hour in again["hours"] if hour["feed"]] == [(3, 0, 3)]


def test_what_was_never_delivered_is_missing_and_repair_delivers_it(desk: Desk) -> None:
    """An hour of before the beginning shows as missing with its remedies; --repair carries it once."""
    desk.happen(5)
    desk.run("init")
    first = desk.run("prove", *period(desk))
    assert first.exit_code == 1 and "missing (5)" in first.stdout and "`plan add`" in first.stdout
    desk.run("prove", *period(desk), "--repair")
    desk.run("prove", *period(desk), "--repair")
    assert desk.rows() == 5 and desk.run("prove", *period(desk)).exit_code == 0


def test_without_a_workspace_the_proof_says_what_it_did_not_check(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feed and ledger alone are compared: the column is empty and a sentence says why."""
    desk.happen(2)
    desk.handle()
    monkeypatch.delenv("WORKSPACE_ID")
    result = desk.run("prove", *period(desk))
    assert result.exit_code == 0 and "WORKSPACE_ID is not set" in result.stdout
    (found,) = desk.json("prove", *period(desk))["connections"]
    assert found["workspace_asked"] is False and {hour["rows"] for hour in found["hours"]} == {None}


def test_yesterday_is_proved_unless_told_otherwise(desk: Desk) -> None:
    """Twenty-four hours, or those of them that have been closed for half an hour; one day for each bound given."""
    desk.handle()
    (found,) = desk.json("prove")["connections"]
    yesterday = f"{desk.now - timedelta(days=1):%Y-%m-%d}"
    assert {hour["hour"][:10] for hour in found["hours"]} == {yesterday} and len(found["hours"]) >= 23
    before = f"{desk.now - timedelta(days=3):%Y-%m-%d}"
    for arguments in (("--from", before), ("--to", f"{desk.now - timedelta(days=2):%Y-%m-%d}")):
        (found,) = desk.json("prove", *arguments)["connections"]
        assert [hour["hour"] for hour in found["hours"]] == [f"{before}T{hour:02}" for hour in range(24)]


def test_every_day_of_a_longer_proof_is_a_run_of_its_own(desk: Desk) -> None:
    """Two and a half days are three runs in health, and one table."""
    desk.handle()
    begin, end = desk.now - timedelta(days=4), desk.now - timedelta(days=2) + timedelta(hours=12)
    (found,) = desk.json("prove", "--from", f"{begin:%Y-%m-%d}", "--to", f"{end:%Y-%m-%dT%H:00}")["connections"]
    runs = desk.world.workspace.query("ClaudeBridgeHealth_CL | where RunKind == 'proof' | count").rows
    assert len(found["hours"]) > 48 and runs == [(-(-len(found["hours"]) // 24),)]


def test_a_proof_that_cannot_read_says_so(desk: Desk) -> None:
    """A refused key is one sentence and exit code 1, not a clean table."""
    desk.handle()
    desk.world.api.state.keys.clear()
    result = desk.run("prove", *period(desk))
    assert result.exit_code == 1 and "the proof stopped: the key is invalid" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "2026-99-01"), "is not a valid time"),
        (("--from", "2024-03-01", "--to", "2024-02-01"), "must start before it ends"),
        (("--to", "2990-01-01"), "ends in the future"),
        (("--from", "2001-01-01"), "keeps six years"),
        (("--connection", "nobody"), "no connection is called nobody"),
    ],
)
def test_an_impossible_proof_is_refused(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    """One sentence, exit code 2."""
    assert says in desk.refused("prove", *arguments)


def test_an_hour_that_is_not_closed_is_not_proved(desk: Desk) -> None:
    """The running hour alone is refused: what is indexed late would look like a gap."""
    begin, end = desk.now - timedelta(minutes=20), desk.now - timedelta(seconds=1)
    hour = ("--from", f"{begin:%Y-%m-%dT%H:00}", "--to", f"{end:%Y-%m-%dT%H:%M:%S}")
    assert "closed for half an hour" in desk.refused("prove", *hour)


def test_a_lost_ledger_comes_back_and_nothing_is_sent_twice(desk: Desk) -> None:
    """After the ledger's deletion rebuild restores it from the workspace: the same hours read again send nothing."""
    desk.happen(6, name="activity")
    desk.happen(4, hours_ago=30, name="activity_old")
    desk.handle(days=2)
    rows = desk.rows("activity")
    assert rows == 10
    before = {path.name: set(_prefixes(path.read_bytes())) for path in desk.ledger.glob("*.sent")}
    for path in desk.ledger.iterdir():
        path.unlink()

    result = desk.run("rebuild", "--from", "workspace", "--days", "3")
    assert result.exit_code == 0 and " 10 ids restored" in result.stdout
    after = {path.name: set(_prefixes(path.read_bytes())) for path in desk.ledger.glob("*.sent")}
    assert after == before
    desk.run("plan", "add", "--from", f"{desk.now - timedelta(days=2):%Y-%m-%d}", "--to", f"{desk.now:%Y-%m-%dT%H:%M}")
    desk.run("run")
    assert desk.rows("activity") == 10 and desk.run("prove", *period(desk)).exit_code == 0

    again = desk.run("rebuild", "--from", "workspace", "--days", "3")
    assert " 0 ids restored" in again.stdout


def test_a_rebuild_that_was_stopped_goes_on(desk: Desk) -> None:
    """Hours that agree are not asked for again; the rest is restored, and dead letters are known as such."""
    desk.happen(5)
    desk.happen(3, hours_ago=30, name="activity_old")
    desk.world.sink_faults.add(
        Fault("refuse_rows", times=1000, options={"where": lambda row: row.get("ActivityId") == "activity_0002"})
    )
    desk.handle(days=2)
    old = desk.now - 30 * HOUR
    waiting = {name: data for name, data in desk.files().items() if name.startswith("dead-letters")}
    for path in desk.ledger.iterdir():
        if not path.name.startswith(f"{old:%Y-%m-%dT%H}"):
            path.unlink()
    result = desk.run("rebuild", "--from", "workspace", "--days", "3")
    assert " 4 ids restored as delivered, 1 as dead letters" in result.stdout
    assert {name: data for name, data in desk.files().items() if name.startswith("dead-letters")} == waiting
    assert desk.run("prove", *period(desk)).exit_code == 0


def test_rebuild_needs_a_workspace_that_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without WORKSPACE_ID it refuses; with a wrong one it stops with the remedy and can be run again."""
    desk.handle()
    monkeypatch.setenv("WORKSPACE_ID", "5a5a5a5a-0000-4000-8000-000000000000")
    result = desk.run("rebuild", "--from", "workspace", "--days", "1")
    assert result.exit_code == 1 and "run it again to resume" in result.stderr and "WORKSPACE_ID" in result.stderr
    monkeypatch.delenv("WORKSPACE_ID")
    assert "WORKSPACE_ID must be set" in desk.refused("rebuild", "--from", "workspace", "--days", "1")


@pytest.mark.parametrize("arguments", [("--days", "3"), ("--from", "memory", "--days", "3"), ("--from", "workspace")])
def test_rebuild_asks_for_its_source_and_days(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Both have to be said, and the source must be one there is."""
    assert desk.run("rebuild", *arguments).exit_code == 2 and not desk.files()


def _prefixes(data: bytes) -> list[bytes]:
    return [data[at : at + 8] for at in range(0, len(data), 8)]
