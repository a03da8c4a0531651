"""The timers, fired through Microsoft's worker library against a served world."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from azure.functions.timer import TimerRequest

from sandbox.activity import feed_entry
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.faults import Fault
from sandbox.world import RULE_ID, World
from shared import tables
from shared.clock import SimulatedClock
from shared.errors import CheckpointMoved, StateMissing, StoreFailed
from shared.models import Page, Position
from shared.runs import last_turns, live, turns
from shared.runs.connection import Connection
from shared.runs.last_turns import PLAN, POLL, PROVE
from shared.runs.run import Run
from shared.runs.turns import days_to_prove, prove_days
from shared.triggers import timers
from shared.triggers.bridge_cache import TRY_AGAIN, here
from shared.triggers.timers import RunsFailed
from tests.fakes import NOON, FakeFeed, FakeWorld, Happening
from tests.triggers.conftest import rows
from tests.triggers.worker import Worker
from tests.worlds import activity

ALL = (POLL, PLAN, PROVE)
SECOND = ApiKey("sk-ant-api01-second", "apikey_01Second", "compliance", frozenset({READ_ACTIVITIES}))
TWO = '[{"name": "first"}, {"name": "second", "key_setting": "SECOND_KEY"}]'
DAY = timedelta(days=1)


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """The log lines of one event."""
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith(name + " ")]


def walks(world: World) -> list[tuple[str, str]]:
    """RunKind and state of every health row, oldest first."""
    kql = f"{tables.HEALTH} | where Part == 1 | order by StartedAt asc | project RunKind, State"
    return [(str(walk), str(state)) for walk, state in world.workspace.query(kql).rows]


async def begin(name: str) -> None:
    async with here.bridge() as bridge:
        await live.init(bridge.connection(name))


@pytest.mark.parametrize("past_due", [False, True])
async def test_poll_carries_what_is_new(
    begun: Worker, world: World, caplog: pytest.LogCaptureFixture, past_due: bool
) -> None:
    """Rows and a health row arrive; a late tick does the same and is only remarked on."""
    caplog.set_level(logging.INFO, logger="bridge")
    outcome = await begun.fire("poll_activities", past_due=past_due)
    assert outcome.ok, outcome.trace
    assert rows(world) == {"default": 3} and walks(world) == [("live", "ok")]
    assert len(lines(caplog, "timer.late")) == past_due


async def test_two_ticks_at_once_carry_everything_once(begun: Worker, world: World) -> None:
    """Whoever comes second finds the lease held and leaves quietly: both succeed, and no row is there twice."""
    outcomes = await asyncio.gather(*(begun.fire("poll_activities", past_due=late) for late in (False, True, True)))
    assert all(outcome.ok for outcome in outcomes)
    assert rows(world) == {"default": 3} and walks(world) == [("live", "ok")]


async def test_the_plan_is_worked_on(begun: Worker, world: World) -> None:
    """What an operator planned over HTTP is read by the next tick, and marked as history."""
    world.feed.add(feed_entry(activity(9, created_at="2026-10-20T08:00:00Z")))
    assert (await begun.ask("start_backfill", "POST", body={"days": 30})).code == 202
    outcomes = await asyncio.gather(begun.fire("work_plan"), begun.fire("work_plan", past_due=True))
    assert all(outcome.ok for outcome in outcomes)
    old = world.workspace.query(f"{tables.ACTIVITY} | where IsBackfill | project ActivityId")
    assert ("activity_0009",) in [tuple(row) for row in old.rows]
    (plan,) = (await begun.ask("plan")).json["plans"]
    assert {window["state"] for window in plan["windows"]} == {"done"}


@pytest.mark.parametrize("name", ALL)
async def test_without_a_key_a_timer_waits_and_says_so(
    worker: Worker,
    world: World,
    environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    """Two ticks: no failure, no request, one line each that names the setting. A key set later is picked up."""
    environment.delenv("COMPLIANCE_ACCESS_KEY")
    caplog.set_level(logging.INFO, logger="bridge")
    for _ in range(2):
        assert (await worker.fire(name)).ok
    said = lines(caplog, "bridge.waiting")
    assert len(said) == 2 and all("COMPLIANCE_ACCESS_KEY" in line for line in said)
    assert [record for record in caplog.records if record.levelno > logging.WARNING] == []
    assert rows(world) == {} and walks(world) == []
    environment.setenv("COMPLIANCE_ACCESS_KEY", world.key)
    await begin("default")
    assert (await worker.fire(name)).ok


async def test_settings_that_cannot_be_read_wait_too(worker: Worker, environment: pytest.MonkeyPatch) -> None:
    """A wrong setting must be mended by somebody; failing once a minute would not mend it."""
    environment.setenv("CONNECTIONS", "[{")
    assert (await worker.fire("poll_activities")).ok


async def test_a_connection_without_a_key_waits_while_the_other_works(
    worker: Worker,
    world: World,
    environment: pytest.MonkeyPatch,
    clock: SimulatedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is named in one line a tick; within five minutes of its key being set it works as well."""
    world.api.state.keys[SECOND.secret] = SECOND
    environment.setenv("CONNECTIONS", TWO)
    await begin("first")
    world.feed.add(feed_entry(activity(1)))
    clock.advance(timedelta(minutes=2))
    assert (await worker.fire("poll_activities")).ok
    assert rows(world) == {"first": 1}
    (line,) = lines(caplog, "connection.waiting")
    assert "second" in line and "SECOND_KEY" in line
    environment.setenv("SECOND_KEY", SECOND.secret)
    clock.advance(TRY_AGAIN)
    await begin("second")
    world.feed.add(feed_entry(activity(2, created_at="2026-10-31T12:07:30Z")))
    clock.advance(timedelta(minutes=2))
    assert (await worker.fire("poll_activities")).ok
    assert rows(world) == {"first": 2, "second": 2}  # it looks half an hour back


async def test_a_key_that_is_withdrawn_while_the_app_runs_is_waited_for(
    begun: Worker, world: World, environment: pytest.MonkeyPatch, clock: SimulatedClock
) -> None:
    """A run that finds no key waits without failing; health says what for, until the key is back."""
    environment.setenv("CONNECTIONS", '[{"name": "default", "key_setting": "SECOND_KEY"}]')
    environment.setenv("SECOND_KEY", world.key)
    await here.close()
    assert (await begun.fire("poll_activities")).ok and rows(world) == {"default": 3}
    environment.delenv("SECOND_KEY")
    clock.advance(timedelta(minutes=1))
    assert (await begun.fire("poll_activities")).ok
    health = await begun.ask("health")
    assert health.code == 503 and "set SECOND_KEY" in health.json["reasons"][0]
    environment.setenv("SECOND_KEY", world.key)
    clock.advance(timedelta(minutes=1))
    assert (await begun.fire("poll_activities")).ok and (await begun.ask("health")).code == 200


async def test_a_refused_key_fails_the_invocation_after_all_had_their_turn(
    worker: Worker, world: World, environment: pytest.MonkeyPatch, clock: SimulatedClock
) -> None:
    """One error with connection, walk and state, no data and no key; the other connection's rows arrive."""
    world.api.state.keys[SECOND.secret] = SECOND
    environment.setenv("CONNECTIONS", TWO)
    environment.setenv("SECOND_KEY", "sk-ant-api01-revoked-meanwhile")
    for name in ("first", "second"):
        await begin(name)
    world.feed.add(feed_entry(activity(1)))
    clock.advance(timedelta(minutes=2))
    outcome = await worker.fire("poll_activities")
    assert not outcome.ok and "RunsFailed('connection second: live ended refused. docs/operate.md" in outcome.error
    assert "first" not in outcome.error and "sk-ant" not in outcome.trace
    assert outcome.trace.count("Traceback") == 1
    assert rows(world) == {"first": 1}


async def test_a_state_that_is_missing_fails_the_invocation(worker: Worker) -> None:
    """Only `claude-bridge init` starts a connection: a lost state must not look like a new one."""
    outcome = await worker.fire("poll_activities")
    assert "connection default: live ended state_missing" in outcome.error
    assert "connection default: plan ended state_missing" in (await worker.fire("work_plan")).error


async def test_a_defect_in_one_connection_leaves_the_other_its_turn(
    worker: Worker, environment: pytest.MonkeyPatch, world: World
) -> None:
    """Whatever a walk raises is logged, named by its class, and ends only that connection's turn."""
    world.api.state.keys[SECOND.secret] = SECOND
    environment.setenv("CONNECTIONS", TWO)
    environment.setenv("SECOND_KEY", SECOND.secret)
    had: list[str] = []

    async def walk(connection: Connection) -> list[Run]:
        had.append(connection.name)
        if connection.name == "first":
            raise ZeroDivisionError("somebody@example.com")
        raise StateMissing("gone")

    environment.setitem(turns.TURNS, POLL, walk)  # type: ignore[arg-type]
    with pytest.raises(RunsFailed) as failed:
        await timers.fire(POLL, TimerRequest(past_due=False))
    assert had == ["first", "second"]
    assert "first: poll_activities ended with ZeroDivisionError" in str(failed.value)
    assert "second: poll_activities ended with StateMissing" in str(failed.value)
    assert "example.com" not in str(failed.value) and failed.value.__context__ is None


async def three_days_later(worker: Worker, world: World, clock: SimulatedClock) -> None:
    """Live reading has had a turn at the beginning and one three days later, with an activity on each day."""
    assert (await worker.fire("poll_activities")).ok
    for day in range(1, 4):
        world.feed.add(feed_entry(activity(10 + day, created_at=f"2026-11-{day:02d}T09:30:00Z")))
    clock.advance_to(NOON.replace(month=11, day=4, hour=2, minute=15))
    assert (await worker.fire("poll_activities")).ok


async def test_three_closed_days_are_proved(begun: Worker, world: World, clock: SimulatedClock) -> None:
    """Each in a run of its own with its digests, newest first."""
    await three_days_later(begun, world, clock)
    outcome = await begun.fire("prove_daily")
    assert outcome.ok, outcome.error
    proofs = world.workspace.query(
        f"{tables.HEALTH} | where RunKind == 'proof' | order by StartedAt asc | project State, WindowFrom"
    )
    assert sorted((str(state), str(start)[:10]) for state, start in proofs.rows) == [
        ("ok", "2026-11-01"),
        ("ok", "2026-11-02"),
        ("ok", "2026-11-03"),
    ]


async def test_a_gap_fails_the_proof(begun: Worker, world: World, clock: SimulatedClock) -> None:
    """Rows that were accepted and never stored: the invocation fails and says which walk found a gap."""
    world.sink_faults.add(Fault("not_stored", skip=1, match=lambda facts: "ClaudeActivity" in facts["path"]))
    await three_days_later(begun, world, clock)
    assert rows(world) == {"default": 3}
    outcome = await begun.fire("prove_daily")
    assert not outcome.ok and "connection default: proof ended gap" in outcome.error


async def lose_an_evening(worker: Worker, world: World, clock: SimulatedClock, *, times: int = 1) -> None:
    """Live reading has passed 3 November; of its two activities, in two hours, the upload was accepted, not stored."""
    assert (await worker.fire("poll_activities")).ok
    before = rows(world)
    world.sink_faults.add(Fault("not_stored", times=times, match=lambda facts: "ClaudeActivity" in facts["path"]))
    for hour in (20, 21):
        world.feed.add(feed_entry(activity(hour, created_at=f"2026-11-03T{hour}:30:00Z")))
    clock.advance_to(NOON.replace(month=11, day=4, hour=2, minute=15))
    assert (await worker.fire("poll_activities")).ok
    assert rows(world) == before


def proofs(world: World) -> list[tuple[str, int, int]]:
    """State, missing and sent of every proof in the order of their windows, newest first, then of their runs."""
    kql = (
        f"{tables.HEALTH} | where RunKind == 'proof' | order by bin(StartedAt, 1d) asc, WindowFrom desc"
        " | project State, MissingIds, RowsSent"
    )
    return [(str(state), int(missing), int(sent)) for state, missing, sent in world.workspace.query(kql).rows]


async def test_what_was_accepted_and_not_stored_is_sent_again(
    begun: Worker, world: World, clock: SimulatedClock
) -> None:
    """The newest day's proof sends both rows, says `repaired` and fails nothing; a day later all is ok."""
    await lose_an_evening(begun, world, clock)
    outcome = await begun.fire("prove_daily")
    assert outcome.ok, outcome.error
    assert rows(world) == {"default": 5}
    assert proofs(world) == [("repaired", 2, 2), ("ok", 0, 0), ("ok", 0, 0)]
    delivered = world.workspace.query(f"{tables.ACTIVITY} | where Delivery == 'repair' | summarize count()").rows
    assert [tuple(row) for row in delivered] == [(2,)]
    clock.advance(DAY)
    assert (await begun.fire("poll_activities")).ok
    assert (await begun.fire("prove_daily")).ok
    assert proofs(world)[3:] == [("ok", 0, 0)] * 3 and rows(world) == {"default": 5}


async def test_what_is_missing_again_is_a_gap(begun: Worker, world: World, clock: SimulatedClock) -> None:
    """A workspace that stores nothing, repairs included: `repaired` on the first morning, a gap that fails on the
    second."""
    await lose_an_evening(begun, world, clock, times=1000)
    assert (await begun.fire("prove_daily")).ok
    clock.advance(DAY)
    assert (await begun.fire("poll_activities")).ok
    outcome = await begun.fire("prove_daily")
    assert not outcome.ok and "connection default: proof ended gap" in outcome.error
    assert proofs(world)[3:5] == [("ok", 0, 0), ("gap", 2, 2)] and rows(world) == {"default": 3}


@pytest.mark.parametrize(("most", "sent", "state"), [(0, 0, "gap"), (1, 1, "gap"), (2, 2, "repaired")])
async def test_a_daily_repair_stays_within_its_bound(
    worker: Worker,
    world: World,
    clock: SimulatedClock,
    environment: pytest.MonkeyPatch,
    most: int,
    sent: int,
    state: str,
) -> None:
    """PROVE_REPAIR_ROWS: none, one hour of the two, both; what is left missing is a gap."""
    environment.setenv("PROVE_REPAIR_ROWS", str(most))
    await begin("default")
    clock.advance(timedelta(minutes=2))
    await lose_an_evening(worker, world, clock)
    assert (await worker.fire("prove_daily")).ok == (state == "repaired")
    assert proofs(world)[0] == (state, 2, sent) and rows(world).get("default", 0) == sent


class Young:
    """A connection whose first turn ended at `since` and whose live reading has come to `watermark`."""

    def __init__(self) -> None:
        self.fake = FakeWorld([Happening(1, 1, 1)])
        self.connection = self.fake.restart()

    async def begun(self) -> "Young":
        await live.init(self.connection)
        self.fake.clock.advance(timedelta(minutes=2))
        await self.poll()
        return self

    async def poll(self) -> None:
        await last_turns.remember(self.connection, POLL, [await live.poll(self.connection)])


async def test_nothing_is_proved_before_the_live_walk_began() -> None:
    """Hours before the first turn are history's; a day that began before it is proved from its first whole hour."""
    young = await Young().begun()
    assert await days_to_prove(young.connection) == []
    young.fake.clock.advance_to(NOON + timedelta(hours=14))
    await young.poll()
    (only,) = await days_to_prove(young.connection)
    assert (only.gte, only.lt) == (NOON.replace(hour=13), (NOON + DAY).replace(hour=0))


async def test_nothing_is_proved_that_the_live_walk_has_not_passed() -> None:
    """A walk that is days behind lags; that is not a gap."""
    young = await Young().begun()
    young.fake.clock.advance(5 * DAY)
    assert await days_to_prove(young.connection) == []


async def test_a_connection_that_never_had_a_turn_has_nothing_to_prove() -> None:
    """Not even one whose first turn found no state: only a turn with a checkpoint counts."""
    young = Young()
    assert await days_to_prove(young.connection) == []
    await young.poll()
    assert (await last_turns.recall(young.connection, POLL)).state == "state_missing"  # type: ignore[union-attr]
    assert await days_to_prove(young.connection) == []


class SlowFeed(FakeFeed):
    """A feed that takes eleven minutes for each page."""

    def page(self, position: Position) -> Page:
        self.clock.advance(timedelta(minutes=11))
        return super().page(position)


async def test_a_slow_proof_stops_after_a_day() -> None:
    """When one day has taken ten minutes the next is not begun: at least a day, and no more than time allows."""
    young = await Young().begun()
    young.fake.clock.advance(3 * DAY)
    await young.poll()
    assert len(await prove_days(young.connection)) == 3
    slow = SlowFeed(young.fake.happenings, young.fake.clock, young.fake.power)
    assert len(await prove_days(replace(young.connection, feed=slow))) == 1


async def test_a_day_that_does_not_end_is_given_up(
    begun: Worker, world: World, clock: SimulatedClock, environment: pytest.MonkeyPatch
) -> None:
    """The proof ends before the host would end the process; the invocation says so."""
    await three_days_later(begun, world, clock)

    async def too_short(connection: Connection) -> list[Run]:
        return await prove_days(connection, ends_seconds=0)

    environment.setitem(turns.TURNS, PROVE, too_short)  # type: ignore[arg-type]
    with pytest.raises(RunsFailed, match="connection default: prove_daily ended with TimeoutError"):
        await timers.fire(PROVE, TimerRequest(past_due=False))


async def test_what_the_timers_remember_survives_a_damaged_note(begun: Worker, tmp_path: Path) -> None:
    """The status document is a convenience: damaged, it is written anew and stops nobody."""
    assert (await begun.fire("poll_activities")).ok
    note = tmp_path / "status" / "default" / RULE_ID / "activity" / "poll_activities.json"
    note.write_bytes(b'{"kind":')
    assert (await begun.fire("poll_activities")).ok
    async with here.bridge() as bridge:
        known = await last_turns.recall(bridge.connections[0], POLL)
    assert known is not None and known.kind == "live"


async def test_a_note_that_cannot_be_stored_stops_nobody() -> None:
    """Without storage, and when another instance was faster, the turn still counts."""
    young = await Young().begun()
    run = await live.poll(young.connection)
    for failure in (StoreFailed("no space"), CheckpointMoved("faster")):
        young.fake.store.failure = failure
        await last_turns.remember(young.connection, POLL, [run])
