"""`doctor`: all lines pass on a sound sandbox, and each single fault makes exactly its own line fail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.activity import FeedEntry, feed_entry
from sandbox.compliance.keys import READ_ACTIVITIES, READ_ORGANIZATIONS
from sandbox.compliance.responses import ListedOrganization
from sandbox.faults import Fault
from shared import tables
from tests.cli.conftest import Desk

ORGANIZATION = ListedOrganization("7d3c1b9e-0000-4000-8000-00000000c0de", "Contoso", "2026-01-01T00:00:00Z")


def examined(desk: Desk, *, code: int = 0) -> dict[str, dict[str, str]]:
    """The lines by name."""
    (lines,) = desk.json("doctor", code=code)["connections"].values()
    assert all(line["remedy"] for line in lines if line["verdict"] != "pass")
    return {line["name"]: line for line in lines}


def failing(lines: dict[str, dict[str, str]]) -> list[str]:
    return [name for name, line in lines.items() if line["verdict"] == "fail"]


@pytest.fixture
def sound(desk: Desk) -> Desk:
    """A connection that has begun and carried an hour."""
    desk.happen(3)
    desk.handle()
    return desk


def expire(desk: Desk) -> None:
    keys = desk.world.api.state.keys
    keys[desk.world.key] = replace(keys[desk.world.key], expired=True)


def narrow(desk: Desk) -> None:
    keys = desk.world.api.state.keys
    keys[desk.world.key] = replace(keys[desk.world.key], scopes=frozenset({READ_ORGANIZATIONS}))


def forbid(desk: Desk) -> None:
    desk.world.sink_faults.add(Fault("forbidden", times=1000))


def drop_column(desk: Desk) -> None:
    desk.world.workspace._connection.execute(f'ALTER TABLE "{tables.ACTIVITY}" DROP COLUMN "McpServerName"')


def lose_state(desk: Desk) -> None:
    desk.checkpoint.unlink()


def skew(desk: Desk) -> None:
    desk.world.api.state.date_skew = timedelta(minutes=10)


def switch_off(desk: Desk) -> None:
    desk.world.api.state.enabled = False


def spoil_plan(desk: Desk) -> None:
    next((desk.state / "plan").rglob("*.json")).write_bytes(b"nonsense")


def test_a_sound_bridge_passes_every_line(sound: Desk) -> None:
    """Fifteen lines and more, none of them warn or fail."""
    lines = examined(sound)
    assert {name: line["verdict"] for name, line in lines.items() if line["verdict"] != "pass"} == {}
    assert len(lines) >= 15 and "all 60 columns" in lines[f"columns of {tables.ACTIVITY}"]["what"]
    result = sound.run("doctor")
    assert result.exit_code == 0 and "0 warn, 0 fail" in result.stdout


@pytest.mark.parametrize(
    ("fault", "line", "remedy"),
    [
        (expire, "activities", "invalid, deactivated or expired"),
        (narrow, "activities", "lacks the scope read:compliance_activities"),
        (switch_off, "activities", "turn the Compliance API on"),
        (forbid, "role on the DCR", "Monitoring Metrics Publisher"),
        (drop_column, f"columns of {tables.ACTIVITY}", "deploy the tables"),
        (lose_state, "state", "`init`"),
        (spoil_plan, "state", "restore"),
        (skew, "clock", "NTP"),
    ],
)
def test_a_single_fault_fails_its_own_line(sound: Desk, fault: Callable[[Desk], None], line: str, remedy: str) -> None:
    """No other line fails, the remedy fits, and the exit code is 1."""
    fault(sound)
    lines = examined(sound, code=1)
    assert failing(lines) == [line] and remedy in lines[line]["remedy"]


def test_the_table_shows_the_remedy(sound: Desk) -> None:
    """For people: the verdicts, what was found, what to do, and the counts."""
    skew(sound)
    result = sound.run("doctor")
    assert result.exit_code == 1 and "s behind the API's" in result.stdout and "by NTP" in result.stdout
    assert result.stdout.rstrip().endswith("0 warn, 1 fail")


def test_a_missing_identity_fails_its_line_and_leaves_the_role_unasked(
    sound: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token nothing of Azure can be asked; the lines that depend on it warn."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    lines = examined(sound, code=1)
    assert lines["identity"]["verdict"] == "fail" and lines["role on the DCR"]["verdict"] == "warn"


def test_a_stream_the_rule_lacks_fails_the_role_line(sound: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of another name is told as such, by the state of another destination too."""
    monkeypatch.setenv("DCR_IMMUTABLE_ID", "dcr-" + "0" * 32)
    lines = examined(sound, code=1)
    assert failing(lines) == ["role on the DCR", "state"] and "404" in lines["role on the DCR"]["what"]


def test_a_key_with_more_rights_is_warned_about(sound: Desk) -> None:
    """The refusal of another family lists this key's scopes: delete rights are told."""
    keys = sound.world.api.state.keys
    scopes = frozenset({READ_ACTIVITIES, "delete:compliance_user_data"})
    keys[sound.world.key] = replace(keys[sound.world.key], scopes=scopes)
    lines = examined(sound)
    assert lines["delete rights"]["verdict"] == "warn" and "for good" in lines["delete rights"]["what"]


def test_what_no_endpoint_tells_is_not_claimed(sound: Desk) -> None:
    """Organizations open and settings not there (404): whether the key can delete cannot be told."""
    sound.world.api.state.organizations = (ORGANIZATION,)
    keys = sound.world.api.state.keys
    scopes = frozenset({READ_ACTIVITIES, READ_ORGANIZATIONS})
    keys[sound.world.key] = replace(keys[sound.world.key], scopes=scopes)
    lines = examined(sound)
    assert lines["other endpoints"]["what"] == "organizations: open; settings: not there, unknown"
    assert lines["delete rights"]["verdict"] == "warn" and "unknown" in lines["delete rights"]["what"]


def test_who_else_spends_the_budget_is_told(sound: Desk) -> None:
    """Little left of the minute is a warning that names the spenders; our own requests are one of them."""
    sound.world.api.state.indexing_delay = timedelta(0)
    sound.run("doctor")
    sound.world.api.state.budget.per_minute = 100
    line = examined(sound)["request budget"]
    assert line["verdict"] == "warn" and "this bridge: " in line["what"] and "of 100 requests left" in line["what"]


def test_an_extra_column_only_warns(sound: Desk) -> None:
    """A newer release's column does no harm."""
    sound.world.workspace._connection.execute(f'ALTER TABLE "{tables.HEALTH}" ADD COLUMN "FromTheFuture" VARCHAR')
    line = examined(sound)[f"columns of {tables.HEALTH}"]
    assert line["verdict"] == "warn" and "FromTheFuture" in line["what"]


def test_drift_set_aside_and_waiting_health_rows_warn(sound: Desk) -> None:
    """What somebody should look at some day is told, with counts, and fails nothing."""
    sound.world.feed.add(_unheard_of(sound))
    sound.happen(2, hours_ago=4, name="refused")
    sound.world.sink_faults.add(
        Fault("refuse_rows", times=1000, options={"where": lambda row: row.get("ActivityId") == "refused_0001"})
    )
    day = timedelta(days=1)
    period = ("--from", f"{sound.now - day:%Y-%m-%dT%H:00}", "--to", f"{sound.now:%Y-%m-%dT%H:%M}")
    sound.run("plan", "add", *period)
    sound.run("run")
    sound.world.sink_faults.clear()
    sound.world.sink_faults.add(Fault("unauthorized_once", times=100))
    sound.run("replay")
    sound.world.sink_faults.clear()
    lines = examined(sound)
    assert lines["drift"]["verdict"] == "warn" and "type moon_landing_faked" in lines["drift"]["what"]
    assert lines["dead letters"]["what"] == "1 waiting: 1 400"
    assert lines["health rows"]["verdict"] == "warn"
    assert examined(sound)["health rows"]["verdict"] == "pass"  # they went with the first doctor's own row


def _unheard_of(desk: Desk) -> FeedEntry:
    at = (desk.now - timedelta(hours=3)).isoformat().replace("+00:00", "Z")
    return feed_entry({"id": "activity_new", "type": "moon_landing_faked", "created_at": at, "actor": None})


def test_without_a_workspace_its_lines_warn(sound: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be asked is neither passed nor failed."""
    monkeypatch.delenv("WORKSPACE_ID")
    lines = examined(sound)
    asked = [name for name in lines if name.startswith("columns") or name in ("last run", "drift")]
    assert {lines[name]["verdict"] for name in asked} == {"warn"}


def test_an_api_that_does_not_answer_fails_one_line(sound: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other lines about the API report unknown."""
    monkeypatch.setenv("COMPLIANCE_API_URL", "http://127.0.0.1:9")
    lines = examined(sound, code=1)
    assert failing(lines) == ["activities"] and "did not answer" in lines["activities"]["what"]


def test_a_state_folder_that_cannot_be_written_fails_the_storage(sound: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be: storage and state fail with their remedies, nothing is thrown."""
    path = sound.state.with_name("a-file")
    path.write_bytes(b"")
    monkeypatch.setenv("STATE_DIR", str(path))
    lines = examined(sound, code=1)
    assert failing(lines) == ["state storage", "state"] and "STATE_DIR" in lines["state storage"]["remedy"]


def test_a_connection_without_a_key_fails_beside_the_others(sound: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says which setting is missing; the other connection is examined all the same."""
    monkeypatch.setenv("CONNECTIONS", '[{"name": "default"}, {"name": "other", "key_setting": "SECOND_KEY"}]')
    found = sound.json("doctor", code=1)["connections"]
    (line,) = found["other"]
    assert line["verdict"] == "fail" and "SECOND_KEY" in line["what"] and line["remedy"]
    assert len(found["default"]) >= 15


def test_the_doctors_requests_are_known_as_our_own(sound: Desk) -> None:
    """Its health row names every request it made."""
    before = len(sound.world.feed)
    sound.run("doctor")
    kql = f"{tables.HEALTH} | where RunKind == 'doctor' | project Requests, Ids = array_length(RequestIds)"
    ((requests, ids),) = sound.world.workspace.query(kql).rows
    assert requests == ids == 3 and len(sound.world.feed) == before + 3
