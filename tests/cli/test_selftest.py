"""`drill`: our own marked read comes back as a row, or the command says where the chain is broken."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.world import World, open_world
from shared import tables
from shared.cli.selftest import selftested
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.connection import Connection
from shared.settings import Settings, load
from shared.wiring import build
from tests.cli.conftest import Desk
from tests.fakes import NOON

QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(quiet: None) -> Iterator[World]:
    with open_world(SimulatedClock(NOON)) as opened:
        yield opened


@asynccontextmanager
async def begun(world: World, tmp_path: Path, **options: Any) -> AsyncIterator[tuple[Settings, Connection]]:
    settings = load(**{**world.settings(), "state_dir": tmp_path / "state", **options})
    async with build(settings, clock=world.clock, credential=world.credential) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        yield settings, connection


def told(world: World) -> list[tuple[str, str]]:
    rows = world.workspace.query(f"{tables.HEALTH} | where RunKind == 'selftest' | project State, RunId").rows
    return [(str(state), str(run)) for state, run in rows]


async def test_the_marked_read_comes_back_as_a_row(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read, shown by the feed, accepted, stored: four steps with their times, within the settling time and a poll."""
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=False)
    assert found["arrived"] and found["remedy"] == ""
    assert [step["what"].split(",")[0] for step in found["steps"]] == [
        "one activity was read",
        "the feed shows that read as an activity",
        "the ingestion endpoint accepted its row",
        "the workspace shows the row",
    ]
    assert found["steps"][0]["after_seconds"] == 0 and 60 <= found["steps"][-1]["after_seconds"] <= 90
    ((agent,),) = world.workspace.query(
        f"{tables.ACTIVITY} | where RequestId == '{found['request_id']}' | project ActorUserAgent"
    ).rows
    assert agent.startswith("claude-sentinel-bridge/") and agent.endswith(found["mark"])
    assert "the self-test passed" in capsys.readouterr().out


async def test_the_health_row_names_the_marked_read_as_ours(world: World, tmp_path: Path) -> None:
    """Or the rule about reads that are not ours would fire on every drill."""
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    ((state, ids),) = world.workspace.query(
        f"{tables.HEALTH} | where RunKind == 'selftest' | project State, RequestIds"
    ).rows
    assert state == "ok" and found["request_id"] in (json.loads(ids) if isinstance(ids, str) else ids)


async def test_rows_that_are_accepted_and_not_stored_fail_the_drill(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a quarter of an hour it ends with the remedy for a 204 that stored nothing."""
    world.sink_faults.add(
        Fault("not_stored", times=1000, match=lambda facts: "ActivityId" in next(iter(facts["elements"]), {}))
    )
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=False)
    assert not found["arrived"] and "accepted and is not stored" in found["remedy"]
    assert QUARTER - timedelta(minutes=1) < world.clock.now() - NOON <= QUARTER + timedelta(minutes=1)
    assert "the self-test failed" in capsys.readouterr().err
    assert [state for state, _ in told(world)] == ["selftest_failed"]


async def test_a_feed_that_records_nothing_fails_the_drill(world: World, tmp_path: Path) -> None:
    """Our read never becomes an activity: that is what the remedy asks about."""
    world.api.state.own_rows = False
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert not found["arrived"] and "the feed does not show our own read" in found["remedy"]
    assert len(found["steps"]) == 1


async def test_a_refused_sink_ends_the_drill_at_once(world: World, tmp_path: Path) -> None:
    """Waiting does not mend a missing role: the live run's own sentence is the remedy."""
    world.sink_faults.add(Fault("forbidden", times=1000))
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert not found["arrived"] and "Monitoring Metrics Publisher" in found["remedy"]
    assert world.clock.now() - NOON < timedelta(minutes=5)


async def test_a_refused_key_ends_the_drill_before_it_begins(world: World, tmp_path: Path) -> None:
    """The marked read itself fails."""
    world.api.state.keys.clear()
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert not found["arrived"] and "401" in found["remedy"] and found["steps"] == []


async def test_without_a_workspace_the_drill_ends_at_the_ledger(world: World, tmp_path: Path) -> None:
    """Accepted by the endpoint is as far as it can see, and it says so."""
    async with begun(world, tmp_path, workspace_id=None) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert found["arrived"] and "was stored was not asked" in found["steps"][-1]["what"]


async def test_a_read_that_is_only_counted_ends_the_drill_as_counted(world: World, tmp_path: Path) -> None:
    """MINIMIZE may let no row of our own reads leave: then the count is the proof."""
    async with begun(world, tmp_path, minimize={"compliance_api": "count-only"}) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert found["arrived"] and found["steps"][-1]["what"].startswith("it was counted")


async def test_a_row_that_was_set_aside_fails_the_drill(world: World, tmp_path: Path) -> None:
    """The service refuses our row: it waits in dead-letters, and replay is the remedy."""
    world.sink_faults.add(
        Fault("refuse_rows", times=1000, options={"where": lambda row: "selftest/" in row.get("ActorUserAgent", "")})
    )
    async with begun(world, tmp_path) as (settings, connection):
        found = await selftested(settings, connection, quiet=True)
    assert not found["arrived"] and "dead letter" in found["remedy"]


def test_a_drill_of_a_connection_that_has_not_begun_fails(desk: Desk) -> None:
    """The typed command: exit code 1, the remedy on stderr, and JSON for machines on stdout."""
    result = desk.run("selftest")
    assert result.exit_code == 1 and "start it with `claude-bridge init`" in result.stderr
    (found,) = desk.json("selftest", code=1)["connections"]
    assert not found["arrived"] and "init" in found["remedy"] and found["request_id"].startswith("req_")


def test_a_drill_of_nobody_is_refused(desk: Desk) -> None:
    """One sentence, exit code 2."""
    assert "no connection is called nobody" in desk.refused("selftest", "--connection", "nobody")
