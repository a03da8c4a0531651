"""What the questions answer, carried out by the local engine; Microsoft's language service knows every name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kql import LocalWorkspace
from sandbox.report import LocalQueries, report_of
from sentinel.tools.check.bind import bind
from shared import tables
from shared.clock import SimulatedClock
from shared.models import Window
from shared.report.questions import ask, questions
from shared.tables import ACTIVITY, HEALTH, Column, Table
from tests.unit.report.fakes import DAY, NOW

LISTS = ("WatchlistAlias", "Type", "Actor", "From", "To", "Ticket", "Approver", "Rule", "Entity", "Until", "Reason")
GET_WATCHLIST = "function _GetWatchlist(alias:string) { LocalWatchlist | where WatchlistAlias == alias }"
ADMIN = {"ActorType": "user_actor", "ActorId": "user_admin", "ActorEmail": "mara.lindqvist@example.com"}
WEEK = Window(DAY.gte, DAY.gte + timedelta(days=7))


class World:
    """A workspace in memory; activities are given in days after the period's begin."""

    def __init__(self) -> None:
        lists = Table("LocalWatchlist", "", 1, "", tuple(Column(name, "string", "", (), "none", 1) for name in LISTS))
        own = [tables.load(name) for name in tables.table_names()]
        self.workspace = LocalWorkspace.create(None, SimulatedClock(NOW), [*own, lists], given=(GET_WATCHLIST,))
        self.count = 0

    def activity(self, days: float, type_: str, **columns: Any) -> None:
        self.count += 1
        at = WEEK.gte + timedelta(days=days)
        row = {"ActivityId": f"activity_{self.count:03}", "ActivityType": type_, "EventTime": at, "TimeGenerated": at}
        self.workspace.store(ACTIVITY, [{**row, "ConnectionName": "default", **ADMIN, **columns}], ingested_at=NOW)

    def watchlist(self, alias: str, **columns: str) -> None:
        self.workspace.store("LocalWatchlist", [{"WatchlistAlias": alias, **columns}], ingested_at=NOW)

    async def ask(self, name: str, *, names: bool = False, period: Window = WEEK) -> list[dict[str, Any]]:
        question = next(each for each in questions() if each.name == name)
        table = await ask(LocalQueries(self.workspace), question, period, names=names)
        assert table.failure is None, table.failure
        return table.objects()


@pytest.fixture(scope="module")
def opened() -> Iterator[World]:
    world = World()
    yield world
    world.workspace.close()


@pytest.fixture
def world(opened: World) -> World:
    """The module's world, emptied: making one takes a second."""
    opened.workspace.clear()
    return opened


def test_the_language_service_knows_every_name() -> None:
    """Tables, functions and columns of the real workspace; and no question reads a raw table."""
    bound = bind({question.name: question.asked(DAY, names=True) for question in questions()})
    assert {name: answer.complaints for name, answer in bound.items() if answer.complaints} == {}
    assert {name for name, answer in bound.items() if answer.tables} == set()


async def test_a_change_names_ticket_and_approver_where_it_was_announced(world: World) -> None:
    """By type, person and time; the same change a day later is not announced, and a copy counts once."""
    world.watchlist(
        "ClaudeApprovedChanges",
        Type="org_sso_toggled",
        Actor="mara.lindqvist@example.com",
        From="2026-10-06T00:00:00Z",
        To="2026-10-06T23:00:00Z",
        Ticket="CHG-1",
        Approver="Head of IT",
    )
    world.activity(1.5, "org_sso_toggled", Enabled=False)
    world.activity(1.5, "org_sso_toggled", Enabled=False, ActivityId=f"activity_{world.count:03}")
    world.activity(2.5, "org_sso_toggled", Enabled=True)
    world.activity(7, "org_sso_toggled", Enabled=True)
    rows = await world.ask("changes")
    stated = [(row["What"], row["Announced"], row["Ticket"], row["Approver"], row["Who"]) for row in rows]
    assert stated == [
        ("off", "announced", "CHG-1", "Head of IT", "user_admin"),
        ("on", "not announced", "", "", "user_admin"),
    ]
    assert (await world.ask("changes", names=True))[0]["Who"] == "mara.lindqvist@example.com"


async def test_a_change_of_several_values_tells_those_that_differ(world: World) -> None:
    """The endpoint that moved must not hide behind an unchanged first value."""
    world.activity(
        1,
        "org_cowork_otlp_settings_updated",
        Changes=[
            {"name": "otlp_protocol", "old": "http", "new": "http"},
            {"name": "otlp_endpoint", "old": "https://a.example.com", "new": "https://b.example.com"},
        ],
    )
    (row,) = await world.ask("changes")
    assert row["What"] == "otlp_endpoint: https://a.example.com → https://b.example.com"


async def test_state_is_the_last_value_before_each_moment(world: World) -> None:
    """Before the start; else the old value of the first change; else not reported. What came after is not asked."""
    geos = {"OrganizationId": "org_1"}
    for days, old, new in ((-2, "eu", "us"), (1, "us", "eu"), (2, "eu", "us,eu"), (8, "us,eu", "any")):
        change = {"name": "allowed_inference_geos", "old": old, "new": new}
        world.activity(days, "org_data_residency_updated", Changes=[change], **geos)
    retention = {"name": "data_retention_periods", "old": "90 days", "new": "for ever"}
    world.activity(3, "claude_organization_settings_updated", Changes=[retention], **geos)
    world.activity(4, "org_claude_code_zero_data_retention_disabled", Enabled=False, **geos)
    stated = {row["Setting"]: (row["AtStart"], row["AtEnd"], row["Changes"]) for row in await world.ask("state")}
    assert stated["allowed_inference_geos"] == ("us", "us,eu", 2)
    assert stated["data_retention_periods"] == ("90 days", "for ever", 1)
    assert stated["org_claude_code_zero_data_retention"] == ("not reported", "off", 1)
    assert stated["compliance_api_logging_enabled"] == ("not reported", "not reported", 0)


async def test_privileged_access_is_shown_at_start_and_end(world: World) -> None:
    """Who got, lost or kept an administering role; an ordinary role and a project's are not of it."""

    def role(days: float, who: str, old: str | None, new: str | None) -> None:
        change = [{"name": "role", "old": old, "new": new}]
        world.activity(
            days, "claude_user_role_updated", Operation="Update", TargetUserId=who, TargetRole=new or "", Changes=change
        )

    role(-3, "user_kept", "user", "admin")
    role(1, "user_rose", "user", "owner")
    role(2, "user_left", "admin", None)
    role(3, "user_plain", None, "user")
    world.activity(-1, "rbac_role_assigned", Operation="Grant", TargetUserId="user_role", TargetRoleId="role_1")
    world.activity(4, "rbac_role_unassigned", Operation="Revoke", TargetUserId="user_role", TargetRoleId="role_1")
    world.activity(
        5, "role_assignment_granted", Operation="Grant", TargetUserId="user_p", Details={"resource_type": "project"}
    )
    rows = {row["Holder"]: (row["AtStart"], row["AtEnd"]) for row in await world.ask("privileged")}
    assert rows == {
        "user_kept": ("admin", "admin"),
        "user_rose": ("user", "owner"),
        "user_left": ("admin", "none"),
        "user_role": ("held", "none"),
    }


async def test_exports_and_the_provider_are_kept_apart(world: World) -> None:
    """Addresses stay away unless people are named."""
    world.activity(1, "org_members_exported", Category="data_export", ActorIp="192.0.2.7")
    provider = {"ActorType": "anthropic_actor", "ActorId": "", "ActorEmail": ""}
    world.activity(2, "anthropic_access", Category="access_transparency", Reason="incident_response", **provider)
    (export,) = await world.ask("exports")
    (access,) = await world.ask("provider")
    assert (export["Who"], export["Address"]) == ("user_admin", "withheld")
    assert (await world.ask("exports", names=True))[0]["Address"] == "192.0.2.7"
    assert access["Reason"] == "incident_response"


async def test_exceptions_are_those_that_reach_into_the_period(world: World) -> None:
    """One that ran out before is not shown; one that ran out within, or never does, is."""
    for rule, until in (("before", "2026-10-01T00:00:00Z"), ("within", "2026-10-07T00:00:00Z"), ("open", "")):
        world.watchlist("ClaudeTuning", Rule=rule, Until=until, Reason="pilot", Approver="CISO")
    stated = [(row["Rule"], row["AtEnd"]) for row in await world.ask("exceptions")]
    assert stated == [("open", "in force"), ("within", "expired")]


async def test_drills_of_the_period_are_listed(world: World) -> None:
    """Other runs are not self-tests."""
    runs = (("selftest", "ok"), ("live", "ok"), ("selftest", "selftest_failed"))
    for number, (kind, state) in enumerate(runs):
        row = {
            "EventTime": WEEK.gte,
            "TimeGenerated": WEEK.gte,
            "RunKind": kind,
            "State": state,
            "Part": 1,
            "RunId": f"run-{number}",
        }
        world.workspace.store(HEALTH, [row], ingested_at=NOW)
    assert [row["State"] for row in await world.ask("drills")] == ["ok", "selftest_failed"]


async def test_a_local_workspace_has_its_report(tmp_path: Path) -> None:
    """Every question is answered there, too; nothing is proved where nothing was read."""
    path = tmp_path / "w.duckdb"
    own = [tables.load(name) for name in tables.table_names()]
    LocalWorkspace.create(path, SimulatedClock(NOW), own).close()
    start, end = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC)
    written = await report_of(path, start, end, tmp_path / "reports", SimulatedClock(NOW))
    assert written.failed == () and written.proof is not None and written.proof.asked == 24
    assert not written.proof.complete and written.new
