"""Several connections side by side, built from settings and run against a served sandbox."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.activity import feed_entry
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.faults import Fault
from sandbox.world import RULE_ID, World, open_world
from shared import tables
from shared.clock import SimulatedClock
from shared.errors import ConfigError
from shared.runs import live
from shared.settings import Settings, load
from shared.wiring import Bridge, build, destination
from tests.fakes import NOON, FakeWorld, Happening
from tests.worlds import activity

MINUTE = timedelta(minutes=1)
SECOND_KEY = ApiKey("sk-ant-api01-second", "apikey_01Second", "compliance", frozenset({READ_ACTIVITIES}))


@pytest.fixture
def world() -> Iterator[World]:
    with open_world(SimulatedClock(NOON), own_rows=False) as opened:
        opened.api.state.keys[SECOND_KEY.secret] = SECOND_KEY
        yield opened


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMPLIANCE_ACCESS_KEY", "CONNECTIONS", "GOOD_KEY", "OTHER_KEY"):
        monkeypatch.delenv(name, raising=False)


def two(world: World, tmp_path: Path, *, other: dict[str, Any] | None = None, **options: Any) -> Settings:
    """Settings for `good`, whose key is GOOD_KEY, and `other`, whose key is OTHER_KEY."""
    good = {"name": "good", "key_setting": "GOOD_KEY"}
    connections = [{"name": "other", "key_setting": "OTHER_KEY", **(other or {})}, good]
    return load(**{**world.settings(), "connections": connections, "state_dir": tmp_path, **options})


@asynccontextmanager
async def built(world: World, settings: Settings) -> AsyncIterator[Bridge]:
    async with build(settings, clock=world.clock, credential=world.credential) as bridge:
        yield bridge


async def begin(bridge: Bridge, world: World, activities: int = 3) -> None:
    """Start every connection, let activities happen, and two minutes pass."""
    for connection in bridge.connections:
        await live.init(connection)
    for number in range(activities):
        world.feed.add(feed_entry(activity(number)))
    assert isinstance(world.clock, SimulatedClock)
    world.clock.advance(2 * MINUTE)


def carried(world: World) -> dict[str, int]:
    """Rows in the workspace by connection."""
    answer = world.workspace.query(f"{tables.ACTIVITY} | summarize Rows = count() by ConnectionName")
    return {str(name): int(rows) for name, rows in answer.rows}


def told(world: World) -> dict[str, tuple[str, str]]:
    """State and error class of each connection's newest live row in the workspace."""
    kql = f"{tables.HEALTH} | where RunKind == 'live' | project ConnectionName, State, ErrorClass"
    return {str(name): (str(state), str(error)) for name, state, error in world.workspace.query(kql).rows}


async def test_two_connections_carry_side_by_side_with_state_apart(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own rows, checkpoint, ledger and health, in a folder named by connection and destination."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    monkeypatch.setenv("OTHER_KEY", SECOND_KEY.secret)
    async with built(world, two(world, tmp_path)) as bridge:
        await begin(bridge, world)
        assert [run.state for run in await bridge.poll()] == ["ok", "ok"]
    assert carried(world) == {"good": 3, "other": 3}
    assert told(world) == {"good": ("ok", ""), "other": ("ok", "")}
    for name in ("good", "other"):
        assert (tmp_path / "checkpoint" / name / RULE_ID / "activity.json").is_file()
        assert list((tmp_path / "ledger" / name / RULE_ID / "activity").glob("*.sent"))


async def test_a_refused_key_does_not_stop_the_other_connection(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API refuses one key: that run is `refused` in health, the other carries; then it is mended."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    monkeypatch.setenv("OTHER_KEY", "sk-ant-api01-revoked")
    async with built(world, two(world, tmp_path)) as bridge:
        await begin(bridge, world)
        assert [run.state for run in await bridge.poll()] == ["refused", "ok"]
        assert carried(world) == {"good": 3}
        assert told(world) == {"good": ("ok", ""), "other": ("refused", "SourceRefused")}
        monkeypatch.setenv("OTHER_KEY", SECOND_KEY.secret)
        assert [run.state for run in await bridge.poll()] == ["ok", "idle"]
    assert carried(world) == {"good": 3, "other": 3}


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (None, "connection other is waiting for its key: set OTHER_KEY"),
        ("sk-ant-api03-wrong-kind", "OTHER_KEY: this is a Claude API key"),
        ("wrong-kind", "OTHER_KEY: this is not a key the Compliance API knows"),
    ],
    ids=["missing", "Claude API key", "no key at all"],
)
async def test_a_missing_or_wrong_key_does_not_stop_the_other_connection(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, says: str
) -> None:
    """It is in `broken` with its sentence and without the key; asking for it by name says the same."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    if key is not None:
        monkeypatch.setenv("OTHER_KEY", key)
    async with built(world, two(world, tmp_path)) as bridge:
        ((name, error),) = bridge.broken
        assert name == "other" and str(error).startswith(says) and "wrong-kind" not in str(error)
        with pytest.raises(ConfigError, match="OTHER_KEY"):
            bridge.connection("other")
        with pytest.raises(ConfigError, match="there are: good, other"):
            bridge.connection("unknown")
        await begin(bridge, world)
        assert [run.state for run in await bridge.poll()] == ["ok"]
    assert carried(world) == {"good": 3}


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "https://api.example.com/v1",
        "https://[api",
        "https://api.example.com:99999",
        "https://api.example.com:port",
    ],
)
async def test_a_bad_address_does_not_stop_the_other_connection(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Whatever is wrong with it, it is that connection's ConfigError."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    monkeypatch.setenv("OTHER_KEY", SECOND_KEY.secret)
    async with built(world, two(world, tmp_path, other={"api_url": url})) as bridge:
        assert [connection.name for connection in bridge.connections] == ["good"]
        assert bridge.broken[0][0] == "other" and "connection other" in str(bridge.broken[0][1])


async def test_a_crash_of_one_connection_does_not_stop_the_other() -> None:
    """Not even a defect in the writing of its health row: the other's run is carried and returned."""
    broken, good = FakeWorld([Happening(1, 1, 1)]), FakeWorld([Happening(1, 1, 1)])
    for each in (broken, good):
        await live.init(each.restart())
        each.clock.advance(2 * MINUTE)
    broken.health.failure = ZeroDivisionError("a defect")
    bridge = Bridge((replace(broken.restart(), name="broken"), replace(good.restart(), name="good")), ())
    runs = await bridge.poll()
    assert "ok" in [run.state for run in runs] and good.table.ids == ["activity_0001"]
    await bridge.work_plan()


async def test_each_destination_has_state_of_its_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second workspace is filled from its own beginning while the first goes on."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    monkeypatch.setenv("OTHER_KEY", SECOND_KEY.secret)
    first = two(world, tmp_path)
    second = first.model_copy(update={"dcr_immutable_id": "dcr-" + "1c" * 16})
    assert destination(first) != destination(second)
    async with built(world, first) as bridge:
        await begin(bridge, world)
        await bridge.poll()
    async with built(world, second) as bridge:
        assert {run.state for run in await bridge.poll()} == {"state_missing"}


@pytest.mark.parametrize("missing", ["ingestion_endpoint", "dcr_immutable_id", "state_dir"])
async def test_what_every_connection_needs_must_be_set(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without an endpoint, a rule or a folder nothing starts, and the sentence names the setting."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    settings = two(world, tmp_path).model_copy(update={missing: None})
    with pytest.raises(ConfigError, match=missing.upper()):
        async with built(world, settings):
            raise AssertionError("it must not be built")


async def test_without_any_usable_key_nothing_starts(world: World, tmp_path: Path) -> None:
    """The first connection's sentence is the error."""
    with pytest.raises(ConfigError, match="set OTHER_KEY"):
        async with built(world, two(world, tmp_path)):
            raise AssertionError("it must not be built")


async def test_a_schema_fault_sets_nothing_aside_and_heals_by_itself(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than ten refused rows in a page: the run is refused with what to deploy; later everything arrives, once."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    world.sink_faults.add(
        Fault("refuse_rows", times=10_000, options={"where": lambda row: row.get("ActivityId", "") >= "activity_0004"})
    )
    async with built(world, two(world, tmp_path)) as bridge:
        await begin(bridge, world, activities=40)
        (run,) = await bridge.poll()
        assert run.state == "refused" and run.counts.dead == 0
        assert told(world)["good"] == ("refused", "SinkRefused") and not (tmp_path / "dead-letters").exists()
        world.sink_faults.clear()
        (run,) = await bridge.poll()
        assert run.state == "ok" and run.counts.dead == 0
    assert carried(world) == {"good": 40}


async def test_refused_rows_wait_for_replay_on_disk(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way through the real sink and files: set aside with the service's words, replayed once."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    world.sink_faults.add(
        Fault("refuse_rows", times=10_000, options={"where": lambda row: row.get("ActivityId") == "activity_0001"})
    )
    async with built(world, two(world, tmp_path)) as bridge:
        await begin(bridge, world)
        (run,) = await bridge.poll()
        assert (run.state, run.counts.sent, run.counts.dead) == ("ok", 2, 1)
        (file,) = (tmp_path / "dead-letters" / "good" / RULE_ID / "activity").glob("*.jsonl")
        line = json.loads(file.read_text(encoding="utf-8"))
        assert line["raw"] == activity(1) and line["reason"].startswith("400: InvalidRow")
        world.sink_faults.clear()
        assert [run.counts.sent for run in await bridge.replay()] == [1]
        assert [run.counts.sent for run in await bridge.replay()] == [0]
    assert carried(world) == {"good": 3}


@pytest.mark.parametrize(("key_setting", "shared"), [("GOOD_KEY", True), ("OTHER_KEY", False)])
async def test_connections_with_one_key_share_its_request_budget(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_setting: str, shared: bool
) -> None:
    """The same key is the same parent organization: what one connection hears of the 600 holds for the other."""
    monkeypatch.setenv("GOOD_KEY", world.key)
    monkeypatch.setenv("OTHER_KEY", SECOND_KEY.secret)
    async with built(world, two(world, tmp_path, other={"key_setting": key_setting})) as bridge:
        one, other = (connection.feed.budget for connection in bridge.connections)
        assert (one is other) == shared
