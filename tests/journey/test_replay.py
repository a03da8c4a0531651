"""Replay: what was set aside is sent once its fault is gone, and only once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import SinkBusy, SinkRefused, StoreFailed
from shared.models import prefix_of
from shared.runs import backfill, live
from shared.runs.replay import PORTION, replay
from shared.sink.batches import SCHEMA_FAULT_ROWS
from tests.fakes import NOON, FailingTable
from tests.worlds import ApiWorld, activity

HOUR_ASIDE = "ledger/test/dcr/activity/2026-10-31T12.dead"
HOUR_SENT = "ledger/test/dcr/activity/2026-10-31T12.sent"


async def with_refused(count: int, *extra: bytes | dict[str, Any], page_size: int = 3) -> ApiWorld:
    """A world that has set `count` activities aside, because the table refused every row."""
    world = await ApiWorld(page_size=page_size).begun()
    world.add(*(activity(number) for number in range(count)), *extra)
    world.table.refuses = lambda _: True
    run = await world.poll()
    assert run.counts.dead == count + len(extra) and world.table.rows == []
    return world


async def test_replay_sends_what_was_refused_and_a_second_one_sends_nothing() -> None:
    """Every row arrives once, is marked, counted in its run's health row, and known to the ledger as sent."""
    world = await with_refused(5)
    world.table.refuses = lambda _: False
    run = await replay(world.restart())
    assert (run.state, run.counts.read, run.counts.sent, run.counts.dead) == ("ok", 5, 5, 0)
    assert world.table.ids == [f"activity_{number:04d}" for number in range(5)]
    assert {row["Delivery"] for row in world.table.rows} == {"replay"}
    assert {row["RunId"] for row in world.table.rows} == {run.id}
    row = world.health_row
    assert (row["RunKind"], row["State"], row["RowsSent"]) == ("replay", "ok", 5)
    assert world.store.files[HOUR_SENT] == b"".join(prefix_of(f"activity_{number:04d}") for number in range(5))
    again = await replay(world.restart())
    assert (again.counts.read, again.counts.sent) == (0, 0) and len(world.table.rows) == 5


async def test_the_live_walk_and_the_sweep_leave_what_is_set_aside_alone() -> None:
    """Neither sends it, nor counts it as missing, also when the table would take it now; replay alone does."""
    world = await with_refused(3)
    world.table.refuses = lambda _: False
    for _ in range(4):
        await world.poll(timedelta(hours=1))
        for run in await backfill.work_plan(world.restart()):
            assert run.missing == 0
    assert world.table.rows == []
    assert (await replay(world.restart())).counts.sent == 3


async def test_what_is_refused_again_stays_and_is_counted_with_its_reason() -> None:
    """Nothing is marked or written twice; the health row counts the rows still waiting, by reason."""
    world = await with_refused(3)
    world.table.refuses = lambda row: row.id == "activity_0001"
    before = world.dead()
    run = await replay(world.restart())
    assert (run.counts.sent, run.counts.dead) == (2, 1) and world.dead() == before
    assert world.health_row["RowsDeadLettered"] == 1
    assert sum(world.health_row["DeadLetterReasons"].values()) == 1
    world.table.refuses = lambda _: False
    assert (await replay(world.restart())).counts.sent == 1
    assert len(world.table.ids) == len(set(world.table.ids)) == 3


async def test_what_is_no_activity_stays_where_an_operator_sees_it() -> None:
    """There is no row to send for a null or a number: counted as still aside, never lost, never an error."""
    world = await with_refused(1, b"null", b"[1]")
    world.table.refuses = lambda _: False
    run = await replay(world.restart())
    assert (run.state, run.counts.sent, run.counts.dead) == ("ok", 1, 2)
    again = await replay(world.restart())
    assert (again.counts.read, again.counts.sent, again.counts.dead) == (2, 0, 2)


@pytest.mark.parametrize(
    ("error", "state"),
    [(SinkBusy("busy"), "busy"), (SinkRefused("role"), "refused"), (StoreFailed("full"), "store_failed")],
)
async def test_a_replay_that_fails_can_be_repeated(error: Exception, state: str) -> None:
    """It ends in its state and tells why; the next one sends everything."""
    world = await with_refused(5)
    world.table.refuses = lambda _: False
    world.table.failure = error
    run = await replay(world.restart())
    assert run.state == state and world.health_row["ErrorClass"] == type(error).__name__
    world.table.failure = None
    assert (await replay(world.restart())).counts.sent == 5 and len(world.table.ids) == 5


async def test_rows_sent_before_a_replay_broke_are_not_sent_again() -> None:
    """Each upload is marked when it was accepted."""
    world = await with_refused(5)
    world.table = table = FailingTable(world.power, good=1, error=SinkBusy("gone in the middle"))
    run = await replay(world.restart())
    assert (run.state, run.counts.sent) == ("busy", 2)
    table.good = None
    again = await replay(world.restart())
    assert again.counts.sent == 3 and len(world.table.ids) == len(set(world.table.ids)) == 5


async def test_a_row_set_aside_on_two_days_is_sent_once() -> None:
    """A crash between dead-letters and ledger writes a row down again, perhaps after midnight."""
    world = await with_refused(1)
    world.clock.advance(timedelta(days=1))
    day, next_day = (f"dead-letters/test/dcr/activity/{name}.jsonl" for name in ("2026-10-31", "2026-11-01"))
    world.store.files[next_day] = world.store.files[day]
    world.table.refuses = lambda _: False
    await replay(world.restart())
    await replay(world.restart())
    assert world.table.ids == ["activity_0000"]


async def test_a_value_that_was_escaped_is_still_noted_after_replay() -> None:
    """The row that comes by replay says, like the first one would have, that a value is text in place of another."""
    odd = json.dumps(activity(9, oddity="@")).encode().replace(b'"@"', b'"\\ud800"')
    world = await with_refused(0, odd)
    world.table.refuses = lambda _: False
    await replay(world.restart())
    (row,) = world.table.rows
    assert row["Details"]["oddity"] == "\\ud800" and row["Handling"]["escaped"] == ["/oddity"]


async def test_days_are_replayed_oldest_first_in_portions() -> None:
    """More than one portion of one day, and a second day, all arrive in order."""
    # More refused rows in one page would be a schema that does not fit, and no rows to keep.
    world = await with_refused(PORTION + 3, page_size=SCHEMA_FAULT_ROWS)
    world.clock.advance(timedelta(days=1))
    late = activity(9999, created_at="2026-11-01T12:03:00Z")
    world.add(late, at=NOON + timedelta(days=1, minutes=3))
    await world.poll(timedelta(minutes=5))
    world.table.refuses, world.table.batch = (lambda _: False), 500
    run = await replay(world.restart())
    assert run.counts.sent == PORTION + 4
    assert world.table.ids == [*(f"activity_{number:04d}" for number in range(PORTION + 3)), "activity_9999"]


async def test_two_replays_at_once_send_nothing_twice() -> None:
    """The second finds the lease held and does nothing."""
    world = await with_refused(2)
    world.table.refuses = lambda _: False
    connection = world.restart()
    async with world.store.lease("lease/test/dcr/activity/replay"):
        run = await replay(connection)
    assert run.state == "lease_held" and world.table.rows == []
    assert (await replay(world.restart())).counts.sent == 2


async def test_replay_does_not_disturb_the_live_walk() -> None:
    """They hold different leases and share one ledger."""
    world = await with_refused(2)
    world.table.refuses = lambda _: False
    world.add(activity(50))
    async with world.store.lease("lease/test/dcr/activity/live"):
        assert (await replay(world.restart())).counts.sent == 2
    run = await world.poll()
    assert run.counts.sent == 1 and len(world.table.ids) == 3
    assert (await live.poll(world.restart())).state == "idle"
