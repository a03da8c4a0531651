"""The routes, asked through Microsoft's worker library against a served world."""

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.activity import feed_entry
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.faults import Fault
from sandbox.world import RULE_ID, World
from shared.clock import SimulatedClock, SystemClock
from shared.errors import ConfigError
from shared.runs import live
from shared.runs.status import report
from shared.settings import Settings
from shared.triggers.bridge_cache import here
from shared.triggers.routes import FRESH, PRINCIPAL, NotSignedIn, admit
from tests.triggers.worker import Worker
from tests.worlds import activity

SECOND = ApiKey("sk-ant-api01-second", "apikey_01Second", "compliance", frozenset({READ_ACTIVITIES}))
TWO = '[{"name": "first"}, {"name": "second", "key_setting": "SECOND_KEY"}]'


@pytest.fixture
async def two(worker: Worker, world: World, environment: pytest.MonkeyPatch) -> Worker:
    """`first` has begun and has a key, `second` has neither."""
    environment.setenv("CONNECTIONS", TWO)
    async with here.bridge() as bridge:
        await live.init(bridge.connection("first"))
    return worker


async def plan_of(worker: Worker) -> dict[str, Any]:
    (plan,) = (await worker.ask("plan")).json["plans"]
    assert isinstance(plan, dict)
    return plan


async def test_health_of_a_bridge_that_works(begun: Worker, world: World) -> None:
    """Version, and for each connection how far it is and how its last run ended."""
    assert (await begun.fire("poll_activities")).ok
    answer = await begun.ask("health")
    assert answer.code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["status"] == "ready" and answer.json["version"] and answer.json["reasons"] == []
    (connection,) = answer.json["connections"]
    assert connection["initialized"] and connection["watermark"] == "2026-10-31T12:01:00+00:00"
    assert connection["lag_seconds"] == 60 and connection["problems"] == [] and connection["ledger"] is None
    assert connection["last_turns"] == {
        "poll_activities": {"kind": "live", "state": "ok", "ended_at": "2026-10-31T12:02:00+00:00"}
    }


async def test_health_is_what_status_prints(begun: Worker) -> None:
    """One JSON for both; only the ledger's hours, which cost requests, are left to the command."""
    assert (await begun.fire("poll_activities")).ok
    health = (await begun.ask("health")).json
    async with here.bridge() as bridge:
        printed = (await report(bridge.connections, bridge.broken, here.clock.now(), ledger=True)).as_json()
    assert printed["connections"][0]["ledger"]["hours"] == 1
    printed["connections"][0]["ledger"] = None
    assert printed == health


async def test_health_tells_what_waits(begun: Worker, world: World, clock: SimulatedClock) -> None:
    """Dead letters, waiting windows and a failed run are reported; the bridge is ready all the same."""
    world.sink_faults.add(
        Fault("refuse_rows", times=10_000, options={"where": lambda row: row.get("ActivityId") == "activity_0001"})
    )
    assert (await begun.fire("poll_activities")).ok
    assert (await begun.ask("start_backfill", "POST", body={"days": 3})).code == 202
    world.api.state.keys.clear()
    clock.advance(timedelta(minutes=1))
    assert not (await begun.fire("poll_activities")).ok
    (connection,) = (await begun.ask("health")).json["connections"]
    assert connection["dead_letters"] == {"400": 1}
    assert connection["plan"]["history"] == {"waiting": 3}
    assert connection["last_turns"]["poll_activities"]["state"] == "refused"


async def test_health_without_a_key(worker: Worker, environment: pytest.MonkeyPatch) -> None:
    """503, with the sentence that names the setting."""
    environment.delenv("COMPLIANCE_ACCESS_KEY")
    answer = await worker.ask("health")
    assert answer.code == 503 and answer.json["status"] == "not ready"
    assert "COMPLIANCE_ACCESS_KEY" in answer.json["reasons"][0]


async def test_health_of_one_that_works_and_one_that_waits(two: Worker) -> None:
    """503 names the connection that waits; the other is told as ever."""
    answer = await two.ask("health")
    assert answer.code == 503 and "SECOND_KEY" in " ".join(answer.json["reasons"])
    assert {each["connection"]: each["initialized"] for each in answer.json["connections"]} == {
        "first": True,
        "second": False,
    }


async def test_health_without_state(worker: Worker) -> None:
    """503 until `claude-bridge init` has begun the connection, or its state is restored."""
    answer = await worker.ask("health")
    assert answer.code == 503 and "claude-bridge init" in answer.json["reasons"][0]
    (connection,) = answer.json["connections"]
    assert not connection["initialized"] and connection["problems"] == answer.json["reasons"]


async def test_health_with_a_damaged_state(begun: Worker, tmp_path: Path) -> None:
    """503 with the sentence, not with the parser's words."""
    (tmp_path / "checkpoint" / "default" / RULE_ID / "activity.json").write_bytes(b"{")
    answer = await begun.ask("health")
    assert answer.code == 503 and "checkpoint cannot be read" in answer.json["reasons"][0]


async def test_health_asks_storage_at_most_four_times_a_minute(
    begun: Worker, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Everybody may ask: within fifteen seconds the answer is the same, afterwards it is looked up again."""
    before = (await begun.ask("health")).json
    (tmp_path / "checkpoint" / "default" / RULE_ID / "activity.json").unlink()
    assert (await begun.ask("health")).json == before
    clock.advance(FRESH)
    assert (await begun.ask("health")).code == 503


async def test_health_reveals_no_secret(
    begun: Worker, world: World, environment: pytest.MonkeyPatch, clock: SimulatedClock
) -> None:
    """Neither when all is well nor when it is not: no key, no token, no address of a person, no id of an activity."""
    world.feed.add(feed_entry(activity(7, actor={"type": "user_actor", "email_address": "somebody@example.com"})))
    texts = []
    for key in (world.key, "sk-ant-api01-revoked-0123456789", "sk-ant-api03-wrong-kind-0123456789"):
        environment.setenv("COMPLIANCE_ACCESS_KEY", key)
        await here.close()
        await begun.fire("poll_activities")
        clock.advance(FRESH)
        texts.append((await begun.ask("health")).text)
    for text in texts:
        assert "sk-ant-api0" not in text.replace("(sk-ant-api03-)", "").replace("(sk-ant-api01-)", "")
        for secret in (world.key, world.token, "somebody@example.com", "activity_00", "0123456789"):
            assert secret not in text


async def test_a_history_by_days_and_by_dates(begun: Worker, clock: SimulatedClock) -> None:
    """202 with the plan: windows of a day that end now, or exactly the period that was named."""
    answer = await begun.ask("start_backfill", "POST", body={"days": 2})
    assert answer.code == 202
    (plan,) = answer.json["plans"]
    assert [(window["kind"], window["state"]) for window in plan["windows"]] == [("history", "waiting")] * 2
    assert plan["windows"][0]["to"] == clock.now().isoformat()
    body = {"connection": "default", "from": "2026-09-01", "to": "2026-09-01T12:00:00+02:00"}
    answer = await begun.ask("start_backfill", "POST", body=body)
    last = answer.json["plans"][0]["windows"][-1]
    assert (last["from"], last["to"]) == ("2026-09-01T00:00:00+00:00", "2026-09-01T10:00:00+00:00")


async def test_the_plan_is_paused_resumed_and_cancelled(begun: Worker) -> None:
    """As a whole and window by window; the list shows it, and holds no cursor."""
    await begun.ask("start_backfill", "POST", body={"days": 2})
    assert (await begun.ask("plan", "POST", body={"action": "pause"})).json["plans"][0]["paused"]
    assert (await begun.fire("work_plan")).ok
    assert [window["read"] for window in (await plan_of(begun))["windows"]] == [0, 0]
    assert not (await begun.ask("plan", "POST", body={"action": "resume"})).json["plans"][0]["paused"]
    for action in ("pause", "resume", "pause"):
        assert (await begun.ask("plan", "POST", body={"action": action, "window": 1})).code == 200
    assert (await begun.ask("plan", "POST", body={"action": "cancel", "window": 2})).code == 200
    first, second = (await plan_of(begun))["windows"]
    assert (first["state"], second["state"]) == ("paused", "cancelled")
    assert "cursor" not in json.dumps(first)


async def test_a_repair_is_added(begun: Worker) -> None:
    """In windows of a day."""
    body = {"action": "add", "from": "2026-10-01", "to": "2026-10-02T06:00"}
    (plan,) = (await begun.ask("plan", "POST", body=body)).json["plans"]
    assert sorted((window["kind"], window["from"][:13]) for window in plan["windows"]) == [
        ("repair", "2026-10-01T00"),
        ("repair", "2026-10-01T06"),
    ]


BAD_BACKFILLS: list[tuple[Any, str]] = [
    (None, "not what is expected"),
    (b"\xff\xfe", "not what is expected"),
    (b"[]", "Expected `object`"),
    ({"days": "many"}, "Expected `int | null`"),
    ({"days": 0}, "between 1 and"),
    ({"days": 10**30}, "between 1 and"),
    ({"days": 3, "from": "2026-10-01", "to": "2026-10-02"}, "either days"),
    ({}, "period is missing"),
    ({"from": "2026-10-01"}, "period is missing"),
    ({"from": "yesterday", "to": "2026-10-01"}, "'yesterday' is not a valid time"),
    ({"from": "2026-10-01", "to": "0001-01-01T00:00:00+14:00"}, "is not a valid time"),
    ({"from": "2026-10-02", "to": "2026-10-01"}, "must start before it ends"),
    ({"from": "2026-10-02", "to": "2027-10-01"}, "in the future"),
    ({"from": "2016-10-02", "to": "2026-10-01"}, "six years"),
    ({"days": 3, "conection": "default"}, "unknown field `conection`"),
    ({"days": 3, "connection": "nobody"}, "there are: default"),
    (b'{"connection": "' + b"x" * 20_000 + b'"}', "longer than"),
]
BAD_CHANGES: list[tuple[Any, str]] = [
    ({}, "missing required field `action`"),
    ({"action": "delete"}, "Invalid enum value"),
    ({"action": "cancel"}, "say which window"),
    ({"action": "cancel", "window": 99}, "99"),
    ({"action": "pause", "window": 1, "from": "2026-10-01"}, "belong to add"),
    ({"action": "add", "kind": "sweep", "from": "2026-10-01", "to": "2026-10-02"}, "Invalid enum value"),
    ({"action": "add"}, "give both from and to"),
]


@pytest.mark.parametrize(
    ("route", "body", "says"),
    [("start_backfill", *case) for case in BAD_BACKFILLS] + [("plan", *case) for case in BAD_CHANGES],
)
async def test_bad_input_is_answered_in_one_sentence(begun: Worker, route: str, body: Any, says: str) -> None:
    """400, nothing changed, no traceback."""
    answer = await begun.ask(route, "POST", body=body)
    assert answer.code == 400 and says in answer.json["error"], answer.text
    assert "Traceback" not in answer.text and "\n" not in answer.json["error"]
    assert (await plan_of(begun))["windows"] == []


async def test_what_is_planned_already_is_refused(begun: Worker) -> None:
    """400 for the period that waits already, and for a window that has ended."""
    assert (await begun.ask("start_backfill", "POST", body={"days": 3})).code == 202
    again = await begun.ask("start_backfill", "POST", body={"days": 2})
    assert again.code == 400 and "nothing was added" in again.json["error"]
    await begun.ask("plan", "POST", body={"action": "cancel", "window": 1})
    ended = await begun.ask("plan", "POST", body={"action": "resume", "window": 1})
    assert ended.code == 400 and "cancelled already" in ended.json["error"]


async def test_an_order_for_several_is_carried_out_for_all_or_for_none(
    two: Worker, environment: pytest.MonkeyPatch, world: World
) -> None:
    """One plan that cannot take it keeps the others unchanged; ids belong to one connection."""
    world.api.state.keys[SECOND.secret] = SECOND
    environment.setenv("SECOND_KEY", SECOND.secret)
    await here.close()
    async with here.bridge() as bridge:
        await live.init(bridge.connection("second"))
    body = {"action": "add", "connection": "second", "from": "2026-10-01", "to": "2026-10-02"}
    assert (await two.ask("plan", "POST", body=body)).code == 200
    both = await two.ask("plan", "POST", body={"action": "add", "from": "2026-10-01", "to": "2026-10-02"})
    assert both.code == 400
    plans = (await two.ask("plan")).json["plans"]
    assert {plan["connection"]: len(plan["windows"]) for plan in plans} == {"first": 0, "second": 1}
    vague = await two.ask("plan", "POST", body={"action": "pause", "window": 1})
    assert vague.code == 400 and "say which connection" in vague.json["error"]


async def test_asking_for_one_connection(two: Worker) -> None:
    """By name; one that waits is 503 with its reason, one that nobody knows 400."""
    assert [plan["connection"] for plan in (await two.ask("plan", query={"connection": "first"})).json["plans"]] == [
        "first"
    ]
    waiting = await two.ask("plan", query={"connection": "second"})
    assert waiting.code == 503 and "SECOND_KEY" in waiting.json["error"]
    assert (await two.ask("plan", query={"connection": "third"})).code == 400


async def test_orders_to_a_bridge_that_cannot_take_them(
    worker: Worker, environment: pytest.MonkeyPatch, world: World
) -> None:
    """409 before `claude-bridge init`, 503 without a key: each with what to do."""
    missing = await worker.ask("start_backfill", "POST", body={"days": 1})
    assert missing.code == 409 and "claude-bridge init" in missing.json["error"]
    await here.close()
    environment.delenv("COMPLIANCE_ACCESS_KEY")
    waiting = await worker.ask("plan")
    assert waiting.code == 503 and "COMPLIANCE_ACCESS_KEY" in waiting.json["error"]


class StoppedClock(SystemClock):
    """A defect whose text quotes what nobody may read."""

    def now(self) -> datetime:
        raise ZeroDivisionError("somebody@example.com")


@pytest.mark.parametrize("route", ["health", "start_backfill"])
async def test_a_defect_is_answered_without_its_details(
    begun: Worker, caplog: pytest.LogCaptureFixture, route: str
) -> None:
    """500 and one sentence; class and place are in the log, the text is not."""
    here.clock = StoppedClock()
    answer = await begun.ask(route, "GET" if route == "health" else "POST", body={"days": 1})
    assert answer.code == 500 and answer.json.keys() == {"error"} and "example.com" not in answer.text
    assert "route.broke" in caplog.text and "ZeroDivisionError" in caplog.text and "example.com" not in caplog.text


def settings(**values: Any) -> Any:
    return SimpleNamespace(**values)


def test_with_entra_only_signed_in_callers_are_admitted() -> None:
    """The platform's header must be there, and the platform must be the one that sets it."""
    admit({}, settings(require_entra=False))
    admit({PRINCIPAL: "eyJ9"}, settings(require_entra=True, website_auth_enabled=True))
    for headers in ({}, {PRINCIPAL: " "}):
        with pytest.raises(NotSignedIn):
            admit(headers, settings(require_entra=True, website_auth_enabled=True))
    with pytest.raises(ConfigError, match="authentication is off"):
        admit({PRINCIPAL: "forged"}, settings(require_entra=True, website_auth_enabled=False))


async def test_with_entra_the_routes_ask_for_it(
    begun: Worker, environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """401 without the header on both routes, 200 with it; the log names the caller by id, and health stays open."""
    caplog.set_level(logging.INFO, logger="bridge")
    environment.setenv("REQUIRE_ENTRA", "true")
    environment.setenv("WEBSITE_AUTH_ENABLED", "True")
    for route, body in (("start_backfill", {"days": 1}), ("plan", {"action": "pause"})):
        refused = await begun.ask(route, "POST", body=body)
        assert refused.code == 401 and "sign in" in refused.json["error"]
    assert (await begun.ask("plan")).code == 401
    headers = {"x-ms-client-principal": "eyJ9", "x-ms-client-principal-id": "0b0e-invented"}
    assert (await begun.ask("plan", "POST", body={"action": "pause"}, headers=headers)).code == 200
    assert any("command.accepted route=plan by=0b0e-invented" in record.getMessage() for record in caplog.records)
    assert (await begun.ask("health")).code == 200


def test_the_switch_is_a_setting() -> None:
    """It is read like every other setting, and off unless somebody sets it."""
    assert Settings.model_fields["require_entra"].default is False
