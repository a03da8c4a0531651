"""The doctor's checks one by one: what each says of an answer the sandbox does not give."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared import tables
from shared.doctor import Subject, examine, sink, source, state
from shared.doctor.source import DELETE_SCOPE, OWN_READ, Replies
from shared.errors import BridgeError, ConfigError, SinkBusy, SinkRefused, SourceBusy
from shared.runs import live
from shared.runs.status import Status
from shared.source.client import Reply
from shared.source.endpoints import ACTIVITIES, ORGANIZATIONS
from tests.fakes import NOON, FakeWorld

MINUTE = timedelta(minutes=1)


@dataclass
class Answering:
    """A workspace whose answer is set: rows, or an error."""

    answer: Any = ()
    asked: list[str] = field(default_factory=list)

    async def rows(self, kql: str) -> list[list[Any]]:
        self.asked.append(kql)
        if isinstance(self.answer, Exception):
            raise self.answer
        return [list(row) for row in self.answer]


@dataclass
class FakeApi:
    """An API that answers each path's questions in turn."""

    replies: dict[str, list[Reply | Exception]]
    asked: list[tuple[str, Sequence[tuple[str, str]]]] = field(default_factory=list)
    the_key: str = ""

    async def key(self) -> str:
        if not self.the_key:
            raise ConfigError("waiting for key: put one into the vault")
        return self.the_key

    async def reply(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Reply:
        self.asked.append((path, parameters))
        reply = self.replies[path].pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class Probed:
    """A sink whose door is open, or says why not."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def probe(self, *, deadline: datetime) -> None:
        if self._error is not None:
            raise self._error


def reply(status: int = 200, body: Any = None, **more: Any) -> Reply:
    return Reply(status=status, body=body, at=NOON, **more)


def subject(
    workspace: Answering | None = None, *, api: FakeApi | None = None, probe: Exception | None = None, key: str = ""
) -> Subject:
    connection = replace(FakeWorld().restart(), workspace=workspace)  # type: ignore[arg-type]

    async def token() -> None:
        return None

    return Subject(connection, replace(api or FakeApi({}), the_key=key), Probed(probe), token)


def allowed(*statuses: int) -> Replies:
    activities, organizations, settings = (reply(status) for status in statuses)
    return Replies(activities, organizations, settings, asked=[activities, organizations, settings])


@pytest.mark.parametrize(
    ("key", "verdict", "says"),
    [
        ("sk-ant-api01-x", "pass", "Compliance Access Key"),
        ("sk-ant-admin01-x", "pass", "Activity Feed and nothing else"),
        ("sk-ant-api03-x", "fail", "Claude API key"),
        ("", "fail", "waiting for key"),
    ],
)
async def test_the_kind_of_key_is_told_by_its_prefix(key: str, verdict: str, says: str) -> None:
    """Usable kinds pass; others, and none at all, fail with a remedy; the key itself is never part of the line."""
    check = await source.key(subject(key=key))
    assert check.verdict == verdict and says in check.what and (verdict == "pass") != bool(check.remedy)
    assert not key or key not in check.what + check.remedy


@pytest.mark.parametrize(("status", "verdict"), [(429, "warn"), (503, "warn"), (404, "fail"), (302, "fail")])
def test_a_busy_feed_only_warns(status: int, verdict: str) -> None:
    """Nobody has to act on a 429; a 404 or a redirect is somebody's to mend."""
    check = source.activities(allowed(status, 200, 404))
    assert check.verdict == verdict and str(status) in check.what and check.remedy


async def test_without_a_key_nothing_is_asked_and_only_the_key_fails() -> None:
    """The lines about the API say which line to mend first."""
    nobody = subject(api=FakeApi({ACTIVITIES.path: [ConfigError("waiting for key")]}))
    replies = await source.ask(nobody)
    checks = [source.activities(replies), source.others(replies), source.clock(replies), source.budget(replies, 120)]
    assert {check.verdict for check in checks} == {"warn"} and "`key`" in checks[0].remedy


async def test_a_refused_filter_is_asked_again_without_it() -> None:
    """Every question counts as a request, whatever was answered."""
    api = FakeApi(
        {
            ACTIVITIES.path: [reply(400, request_id="a"), reply(200, {"data": []}, request_id="b")],
            ORGANIZATIONS.path: [reply(200, {"data": [{"uuid": "o-1"}]}, request_id="c")],
            f"{ORGANIZATIONS.path}/o-1/settings": [reply(404, request_id="d")],
        }
    )
    replies = await source.ask(subject(api=api))
    assert [each.request_id for each in replies.asked] == ["a", "b", "c", "d"]
    assert source.activities(replies).verdict == "pass"


async def test_an_api_that_falls_silent_half_way_keeps_what_it_said() -> None:
    """The feed's line passes; the others cannot tell."""
    api = FakeApi({ACTIVITIES.path: [reply(200, {"data": []})], ORGANIZATIONS.path: [SourceBusy("nobody there")]})
    replies = await source.ask(subject(api=api))
    assert source.activities(replies).verdict == "pass" and source.others(replies).verdict == "warn"


def test_delete_rights_of_other_keys_are_told_from_the_settings() -> None:
    """Active keys with a delete scope are counted and named by id; inactive ones do no harm."""
    keys = [
        {"id": "apikey_01", "scopes": [f"{DELETE_SCOPE}compliance_user_data"], "is_active": True},
        {"id": "apikey_02", "scopes": [f"{DELETE_SCOPE}compliance_user_data"], "is_active": False},
        {"id": "apikey_03", "scopes": ["read:compliance_activities"], "is_active": True},
        {"id": "apikey_04", "scopes": None, "is_active": True},
    ]
    replies = allowed(200, 200, 200)
    replies.settings = reply(200, {"api_keys": keys})
    check = source.delete_rights(replies)
    assert check.verdict == "warn" and "1 active keys" in check.what and "apikey_01" in check.what
    replies.settings = reply(200, {"api_keys": keys[1:]})
    assert source.delete_rights(replies).verdict == "pass"


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, "pass"), (29, "pass"), (-45, "warn"), (299, "warn"), (301, "fail"), (-4000, "fail")]
)
def test_the_clock_may_be_wrong_a_little(seconds: int, verdict: str) -> None:
    """Half a minute passes, five minutes warn, more fails; in both directions."""
    check = source.clock(Replies(asked=[reply(date=NOON - timedelta(seconds=seconds)), reply()]))
    assert check.verdict == verdict and f"{abs(seconds)} s" in check.what


def test_spenders_are_counted_by_key_and_client() -> None:
    """Ours under one name; strange shapes do no harm; an address in a user agent is masked."""

    def read(agent: Any, key: str = "apikey_9") -> dict[str, Any]:
        return {"type": OWN_READ, "actor": {"api_key_id": key, "user_agent": agent}}

    ours = read("claude-sentinel-bridge/1 doctor")
    data = [ours, ours, read("Purview/2"), read("me@example.com"), read(None), {"type": OWN_READ, "actor": None}, 7]
    replies = Replies(reply(200, {"data": data}, remaining=100, limit=600))
    replies.asked = [replies.activities] if replies.activities else []
    check = source.budget(replies, 120)
    assert check.verdict == "warn" and "this bridge: 2" in check.what and "apikey_9 (Purview): 1" in check.what
    assert "@example.com" not in check.what and "apikey_9 (no name): 1" in check.what
    assert source.budget(replies, 99).verdict == "pass"


@pytest.mark.parametrize(
    ("error", "verdict"), [(None, "pass"), (SinkBusy("busy"), "warn"), (SinkRefused("403"), "fail")]
)
async def test_the_role_is_judged_by_who_must_act(error: Exception | None, verdict: str) -> None:
    """A busy endpoint is nobody's fault."""
    asked = subject(probe=error)
    check = await sink.role(asked, await sink.identity(asked))
    assert check.verdict == verdict


async def test_a_column_of_another_type_fails_and_the_services_own_columns_do_not_count() -> None:
    """`boolean` is called `bool` there; TenantId, Type and everything with an underscore is the service's own."""
    table = tables.load(tables.HEALTH)
    rows = [[column.name, "bool" if column.type == "boolean" else column.type] for column in table.columns]
    own = [["TenantId", "guid"], ["Type", "string"], ["_ResourceId", "string"]]
    assert (await sink.columns(subject(Answering(rows + own)), tables.HEALTH)).verdict == "pass"
    wrong = [["Pages", "string"] if row[0] == "Pages" else row for row in rows]
    check = await sink.columns(subject(Answering(wrong)), tables.HEALTH)
    assert check.verdict == "fail" and "Pages is string, not long" in check.what


@pytest.mark.parametrize(("error", "verdict"), [(SinkBusy("429"), "warn"), (SinkRefused("no such table"), "fail")])
async def test_columns_that_cannot_be_asked_are_told(error: BridgeError, verdict: str) -> None:
    """A missing table or role fails; a busy workspace warns; the questions about the past only warn."""
    asked = subject(Answering(error))
    assert (await sink.columns(asked, tables.HEALTH)).verdict == verdict
    assert (await state.last_run(asked)).verdict == (await state.drift(asked)).verdict == "warn"


@pytest.mark.parametrize(
    ("run_state", "age", "verdict"),
    [
        ("ok", 2, "pass"),
        ("idle", 14, "pass"),
        ("busy", 1, "pass"),
        ("ok", 20, "warn"),
        ("ok", 90, "fail"),
        ("refused", 1, "fail"),
        ("state_missing", 1, "fail"),
    ],
)
async def test_the_last_run_is_judged_by_state_and_age(run_state: str, age: int, verdict: str) -> None:
    """Fifteen minutes of silence warn, an hour fails, and so does a bad state at once."""
    asked = subject(Answering([[NOON - age * MINUTE, run_state]]))
    check = await state.last_run(asked)
    assert check.verdict == verdict and run_state in check.what


async def test_no_run_at_all_is_told() -> None:
    """An empty answer is no good news."""
    assert (await state.last_run(subject(Answering([])))).verdict == "warn"


async def test_drift_is_summed_over_the_day() -> None:
    """Cells come as JSON text, parsed, empty, or damaged; the question names the connection and the day."""
    types = [json.dumps({"new_type": 2}), {"new_type": 3}, "", None, "{"]
    workspace = Answering([[cell, None, '{"user.shoe_size": 1}'] for cell in types])
    check = await state.drift(subject(workspace))
    assert check.verdict == "warn" and "type new_type (5)" in check.what and "field user.shoe_size (5)" in check.what
    assert 'ConnectionName == "test"' in workspace.asked[0] and "2026-10-30T12:00:00Z" in workspace.asked[0]


@pytest.mark.parametrize(
    ("behind", "verdict"),
    [(None, "warn"), (MINUTE, "pass"), (16 * MINUTE, "warn"), (61 * MINUTE, "fail"), (-MINUTE, "pass")],
)
def test_lag_is_judged_like_health_rows(behind: timedelta | None, verdict: str) -> None:
    """Fifteen minutes warn, an hour fails; without a checkpoint nothing can be said."""
    assert state.lag(Status("test", "activity", lag=behind)).verdict == verdict


async def test_storage_is_tried_and_left_as_it_was() -> None:
    """A document is written, read and removed, also after a doctor that was interrupted."""
    world = FakeWorld()
    connection = world.restart()
    asked = replace(subject(), connection=connection)
    assert (await state.storage(asked)).verdict == "pass" and world.store.files == {}
    await connection.store.create(f"doctor/{connection.prefix}.txt", b"left behind")
    assert (await state.storage(asked)).verdict == "pass" and world.store.files == {}


async def test_a_check_that_breaks_is_a_finding_and_the_others_speak() -> None:
    """A defect in one check fails that line alone."""
    world = FakeWorld()
    await live.init(world.restart())
    families = (ACTIVITIES.path, ORGANIZATIONS.path, f"{ORGANIZATIONS.path}/{source.NO_ORGANIZATION}/settings")
    asked = subject(
        Answering(),
        api=FakeApi({path: [reply(200, {"data": []}, date=NOON, remaining=500)] for path in families}),
        probe=ZeroDivisionError("a defect"),
        key="sk-ant-api01-x",
    )
    _, checks = await examine(replace(asked, connection=replace(world.restart(), workspace=None)))
    assert [check.name for check in checks if check.verdict == "fail"] == ["role on the DCR"]
    assert len(checks) >= 15


async def test_an_examination_that_stops_says_that_lines_are_missing() -> None:
    """A defect outside the single checks must not look like a clean bill of health."""
    _, checks = await examine(subject(api=FakeApi({}), key="sk-ant-api01-x"))
    assert checks[-1].verdict == "fail" and "lines that are missing" in checks[-1].remedy
