"""Bad input on its whole way: the simulated API, the real client and walk, a table and a store that keep state."""

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
from shared.errors import SinkBusy, SourceIncoherent
from shared.models import UNDATED, Page, hour_of, prefix_of
from shared.runs import live
from shared.runs.run import Run, RunKind
from shared.state.ledger import IDS_IN_MEMORY, PREFIX_BYTES, Ledger
from tests.fakes import NOON, FailingTable, FakeWorld, Happening, MemoryStore
from tests.worlds import MINUTE, ApiWorld, activity


async def test_what_is_no_object_is_set_aside_with_its_reason_and_the_rest_arrives() -> None:
    """Null, numbers, text and lists in the page: kept as they came, counted by reason, never asked for again."""
    world = await ApiWorld().begun()
    world.add(activity(1), b"null", b"7", b'"text"', b"[1,2]", activity(2))
    run = await world.poll()
    assert world.table.ids == ["activity_0001", "activity_0002"]
    assert [line["raw"] for line in world.dead()] == [None, 7, "text", [1, 2]]
    assert {line["reason"] for line in world.dead()} == {"not an object"}
    assert run.state == "ok" and (run.counts.read, run.counts.sent, run.counts.dead) == (6, 2, 4)
    assert world.health_row["RowsDeadLettered"] == 4
    assert world.health_row["DeadLetterReasons"] == {"not an object": 4}
    again = await world.poll()
    assert (again.counts.repeated, again.counts.dead, len(world.dead())) == (6, 0, 4)


@pytest.mark.parametrize("identity", [{}, {"id": None}, {"id": ""}, {"id": 17}], ids=["absent", "null", "empty", "int"])
async def test_an_activity_without_an_id_is_known_by_its_digest(identity: dict[str, Any]) -> None:
    """It arrives once under `sha256-...`, also when the overlap reads it again."""
    nameless = {**{name: value for name, value in activity(1).items() if name != "id"}, **identity}
    world = await ApiWorld().begun()
    world.add(nameless)
    await world.poll()
    again = await world.poll()
    canonical = json.dumps(nameless, sort_keys=True, separators=(",", ":")).encode()
    assert world.table.ids == [f"sha256-{hashlib.sha256(canonical).hexdigest()}"]
    assert (again.counts.read, again.counts.repeated) == (1, 1)


@pytest.mark.parametrize("created", [None, "", "yesterday", 1730376010, {"at": 1}, "9999-12-31T23:59:59-23:59"])
async def test_an_activity_without_a_usable_time_is_carried_undated(created: Any) -> None:
    """EventTime is the receipt, the value stays in Details, the ledger keeps it under `undated`, and once."""
    world = await ApiWorld().begun()
    world.add(activity(1, created_at=created))
    run = await world.poll()
    (row,) = world.table.rows
    assert row["EventTime"] == row["TimeGenerated"] == "2026-10-31T12:02:00.000000Z"
    assert row["Handling"]["noCreatedAt"] is True and row["Details"]["created_at"] == created
    assert run.counts.undated == world.health_row["RowsUndated"] == 1
    assert world.store.files[f"ledger/test/dcr/activity/{UNDATED}.sent"] == prefix_of("activity_0001")
    assert (await world.poll()).counts.repeated == 1 and len(world.table.rows) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(b'"\\ud800"', "\\ud800"), (b"9" * 30, "9" * 30), (b"-9223372036854775809", "-9223372036854775809")],
    ids=["lone surrogate", "30 digits", "one below a long"],
)
async def test_an_odd_value_arrives_as_text_and_is_noted(value: bytes, text: str) -> None:
    """The page is not lost for one value: Handling names its place, health counts the row, the neighbors are whole."""
    world = await ApiWorld().begun()
    odd = json.dumps(activity(2, oddity="@")).encode().replace(b'"@"', value)
    world.add(activity(1), odd, activity(3))
    run = await world.poll()
    assert world.table.ids == ["activity_0001", "activity_0002", "activity_0003"]
    row = world.table.rows[1]
    assert row["Details"]["oddity"] == text and row["Handling"]["escaped"] == ["/oddity"]
    assert "Handling" not in world.table.rows[0]
    assert run.counts.escaped == world.health_row["RowsEscaped"] == 1


async def test_the_largest_long_is_not_odd() -> None:
    """2^63-1 fits a `long` and stays a number."""
    world = await ApiWorld().begun()
    world.add(activity(1, size=2**63 - 1))
    await world.poll()
    assert world.table.rows[0]["Details"]["size"] == 2**63 - 1 and "Handling" not in world.table.rows[0]


async def test_five_megabytes_in_one_field_are_kept_whole_beside_the_row() -> None:
    """The row fits its cells, says where the whole activity lies, and the whole is there, byte for byte."""
    world = await ApiWorld().begun()
    monster = activity(1, essay="ab" * 2_500_000)
    world.add(monster, activity(2))
    run = await world.poll()
    row = world.table.rows[0]
    overflow = row["Handling"]["overflow"]
    whole = world.store.files[overflow["pointer"]]
    assert json.loads(whole) == monster
    assert overflow["sha256"] == hashlib.sha256(whole).hexdigest() and overflow["bytes"] == len(whole)
    cells = (cell if isinstance(cell, str) else json.dumps(cell) for cell in row.values())
    assert max(len(cell.encode()) for cell in cells) <= 32_000
    assert run.counts.overflowed == world.health_row["RowsOverflowed"] == 1 and world.table.ids[1] == "activity_0002"
    assert (await world.poll()).counts.repeated == 2


async def test_ten_thousand_activities_of_one_moment_arrive_each_once() -> None:
    """Two full pages end inside one `created_at`: the cursor carries the walk through, the empty third page ends it."""
    world = FakeWorld([Happening(10, 10, number) for number in range(10_000)], page_size=5000)
    world.table.batch = 1000
    await live.init(world.restart())
    world.clock.advance(2 * MINUTE)
    run = await live.poll(world.restart())
    assert run.state == "ok" and run.counts.sent == 10_000
    assert len(set(world.table.ids)) == len(world.table.ids) == 10_000


async def test_a_repeated_page_fails_the_run_and_costs_nothing() -> None:
    """The page a stuck API gives again is not taken for progress; the next run reads on from the saved cursor."""
    world = await ApiWorld(page_size=2).begun()
    world.add(*(activity(number) for number in range(5)))
    world.api_faults.add(Fault("repeated_page", skip=1))
    first = await world.poll()
    assert first.state == "source_unreadable" and isinstance(first.error, SourceIncoherent)
    assert world.health_row["ErrorClass"] == "SourceIncoherent" and "cursor" in world.health_row["ErrorMessage"]
    assert first.counts.repeated == 2 and len(world.table.ids) == 2
    second = await world.poll(MINUTE)
    assert second.state == "ok" and world.table.ids == [f"activity_{number:04d}" for number in range(5)]


@pytest.mark.parametrize("fault", ["stuck_cursor", "no_has_more"])
async def test_a_page_that_does_not_say_how_to_go_on_is_no_end(fault: str) -> None:
    """An empty page with `has_more` and no cursor, or none of both: the run fails, the next one completes."""
    world = await ApiWorld(page_size=2).begun()
    world.add(*(activity(number) for number in range(5)))
    world.api_faults.add(Fault(fault, skip=1))
    assert (await world.poll()).state == "source_unreadable"
    assert (await world.poll(MINUTE)).state == "ok"
    assert world.table.ids == [f"activity_{number:04d}" for number in range(5)]


async def test_a_full_page_that_says_it_is_the_last_is_not_believed_at_once() -> None:
    """A wrong `has_more: false` on a full page costs one request more and loses nothing."""
    world = await ApiWorld(page_size=2).begun()
    world.add(*(activity(number) for number in range(5)))
    world.api_faults.add(Fault("false_end"))
    assert (await world.poll()).state == "ok"
    assert len(world.table.ids) == 5


async def test_the_same_id_twice_on_one_page_is_sent_once() -> None:
    """The first copy goes, the second is counted as repeated."""
    world = await ApiWorld().begun()
    world.add(activity(1), activity(1), activity(2))
    run = await world.poll()
    assert world.table.ids == ["activity_0001", "activity_0002"]
    assert (run.counts.read, run.counts.sent, run.counts.repeated) == (3, 2, 1)
    assert world.health_row["RowsRepeated"] == 1


async def test_what_nobody_declared_is_carried_and_counted_as_drift() -> None:
    """An unknown type, actor and field each arrive in full, and the health row names them."""
    world = await ApiWorld().begun()
    world.add(
        activity(1, type="moon_base_opened", crew=[1, {"deep": True}]),
        activity(2, actor={"type": "robot_actor", "serial": "r-1"}),
        activity(3, brand_new=5, actor={"type": "user_actor", "user_id": "user_01", "mood": "calm"}),
        activity(4),
    )
    run = await world.poll()
    first, second, third, fourth = world.table.rows
    assert first["ActivityType"] == "moon_base_opened" and first["Details"]["crew"] == [1, {"deep": True}]
    assert second["ActorDetails"]["serial"] == "r-1"
    assert third["Details"]["brand_new"] == 5 and third["ActorDetails"]["mood"] == "calm"
    assert run.counts.unknown_types == world.health_row["UnknownTypes"] == {"moon_base_opened": 1}
    assert run.counts.unknown_actors == world.health_row["UnknownActors"] == {"robot_actor": 1}
    drifted = {"user_logged_out.brand_new": 1, "user_logged_out.actor.mood": 1}
    assert run.counts.unknown_fields == world.health_row["UnknownFields"] == drifted
    assert "brand_new" not in fourth.get("Details", {})


async def test_a_row_of_nothing_but_escapes_does_not_vanish() -> None:
    """Its JSON is six times its size: it is cut and kept whole beside the table, or set aside; the neighbor goes."""
    world = await ApiWorld().begun()
    hostile = activity(1, **{f"field_{number}": "\u0001" * 31_000 for number in range(40)})
    world.add(hostile, activity(2))
    run = await world.poll()
    assert run.state == "ok" and run.counts.sent + run.counts.dead == 2
    kept = [json.loads(data) for name, data in world.store.files.items() if name.startswith("overflow/")]
    assert hostile in [*kept, *(line["raw"] for line in world.dead())]


async def test_batches_accepted_before_a_later_one_failed_are_remembered() -> None:
    """The next run sends only the rest of the page: no row arrives twice."""
    world = await ApiWorld(page_size=10).begun()
    world.table = FailingTable(world.power, good=2, error=SinkBusy("no more today"))
    world.add(*(activity(number) for number in range(10)))
    first = await world.poll()
    assert first.state == "busy" and first.counts.sent == 4 == len(world.table.ids)
    world.table.good = None
    second = await world.poll(MINUTE)
    assert (second.state, second.counts.repeated, second.counts.sent) == ("ok", 4, 6)
    assert world.table.ids == [f"activity_{number:04d}" for number in range(10)]


async def test_refused_rows_are_set_aside_with_the_services_words_and_not_sent_again() -> None:
    """The ledger knows them as set aside, health counts them by reason, live reading leaves them alone."""
    world = await ApiWorld().begun()
    world.table.refuses = lambda row: row.id == "activity_0002"
    world.add(*(activity(number) for number in range(1, 4)))
    run = await world.poll()
    assert world.table.ids == ["activity_0001", "activity_0003"]
    (line,) = world.dead()
    assert (line["id"], line["reason"], line["run"], line["raw"]) == ("activity_0002", "400: no", run.id, activity(2))
    assert world.store.files["ledger/test/dcr/activity/2026-10-31T12.dead"] == prefix_of("activity_0002")
    assert world.health_row["DeadLetterReasons"] == {"400": 1} and world.health_row["RowsDeadLettered"] == 1
    again = await world.poll()
    assert (again.counts.repeated, again.counts.dead, len(world.dead())) == (3, 0, 1)


async def test_every_activity_read_ends_in_exactly_one_count() -> None:
    """sent + repeated + set aside + counted is what was read, whatever the page holds."""
    world = await ApiWorld().begun()
    world.table.refuses = lambda row: row.id == "activity_0003"
    world.add(activity(1), b"null", activity(2), activity(2), activity(3), activity(4, created_at=None))
    for _ in range(2):
        counts = (await world.poll()).counts
        assert counts.read == 6 == counts.sent + counts.repeated + counts.dead + counts.counted


class ForgetfulStore(MemoryStore):
    """After every reading of a ledger file some other run of the connection ends."""

    ledger: Ledger

    async def tail(self, name: str, offset: int) -> bytes:
        data = await super().tail(name, offset)
        self.ledger.forget_most()
        return data


async def test_a_run_that_ends_does_not_take_the_ledger_from_a_page_on_its_way() -> None:
    """Runs of one connection share the ledger; `forget_most` after one must not drop hours another has just loaded."""
    world, store = FakeWorld(), ForgetfulStore()
    store.ledger = Ledger(store, "test/dcr/activity")
    for hours in range(2):
        name = f"ledger/test/dcr/activity/{hour_of(NOON + timedelta(hours=hours))}.sent"
        store.files[name] = b"".join(n.to_bytes(PREFIX_BYTES, "big") for n in range(IDS_IN_MEMORY // 2 + 1))
    connection = replace(world.restart(), ledger=store.ledger, store=store)
    items = [activity(1), activity(2, created_at="2026-10-31T13:00:10Z")]
    pipeline = connection.pipeline(Run("run-1", RunKind.LIVE, NOON), deadline=NOON + MINUTE)
    await pipeline.handle(Page(items, False, None, "req_1", NOON, 0))
    assert world.table.ids == ["activity_0001", "activity_0002"]


async def test_two_runs_that_load_an_hour_at_once_still_see_what_a_third_adds() -> None:
    """Reading the same tail twice must not move past what another process appends next."""
    store, hour = MemoryStore(), hour_of(NOON)
    name = f"ledger/test/dcr/activity/{hour}.sent"
    await store.append(name, prefix_of("a") + prefix_of("b"))
    ledger = Ledger(store, "test/dcr/activity")
    await asyncio.gather(ledger.load([hour]), ledger.load([hour]))
    await store.append(name, prefix_of("c"))
    known = await ledger.hour(hour)
    assert [known.knows(prefix_of(each)) for each in "abcd"] == [True, True, True, False]
