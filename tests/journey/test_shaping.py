"""From the full row to the row that leaves: counted categories on their whole way, and tables older than the code."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kql import LocalWorkspace
from sandbox.tenant.samples import samples
from shared import tables
from shared.clock import SimulatedClock
from shared.models import Hour, Page, Window, hour_of, prefix_of
from shared.rows import limits
from shared.rows.canonical import encode
from shared.rows.minimize import Minimizer, Mode, Shaping
from shared.runs import backfill, live
from shared.runs.connection import Connection
from shared.runs.pipeline import Pipeline
from shared.runs.prove import prove
from shared.runs.replay import replay
from shared.runs.run import Run, RunKind
from shared.state.ledger import digest, hour_digest
from shared.streams.activity.fold import fold, unfold
from tests.fakes import NOON, FakeWorld, Happening
from tests.unit.streams.golden_pairs import CARRIAGE
from tests.unit.streams.samples import documented_activity

KEY = b"sixteen bytes or more, invented"
AT = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
HOUR = Hour("2026-10-31T12")
ADMIN = {"type": "user_actor", "user_id": "user_01", "email_address": "ana@example.com", "ip_address": "192.0.2.7"}


def shaping(deployed_version: int | None = None, **modes: Mode) -> Shaping:
    return Shaping(Minimizer({name.replace("every", "*"): mode for name, mode in modes.items()}, KEY), deployed_version)


@dataclass(frozen=True)
class Mixed(Happening):
    """Signing out (category auth) for even numbers, roles (user_admin) for odd ones."""

    @property
    def activity(self) -> dict[str, Any]:
        kind = "org_user_invite_sent" if self.number % 2 else "user_logged_out"
        return {**super().activity, "type": kind, "actor": ADMIN}


@pytest.fixture
def world() -> FakeWorld:
    """Ten activities within a minute of noon, five of each category."""
    return FakeWorld([Mixed(n, n, n) for n in range(10)])


def connection_of(world: FakeWorld, shaping: Shaping) -> Connection:
    return replace(world.restart(), shaping=shaping)


async def polled(world: FakeWorld, shaping: Shaping) -> tuple[Connection, Run]:
    """A connection that has read the whole feed live."""
    connection = connection_of(world, shaping)
    await live.init(connection)
    world.clock.advance(timedelta(minutes=5))
    return connection, await live.poll(connection)


def known(prefixes: set[bytes], world: FakeWorld) -> set[str]:
    return {happening.id for happening in world.happenings if prefix_of(happening.id) in prefixes}


EVEN = {f"activity_{n:04d}" for n in range(0, 10, 2)}
ODD = {f"activity_{n:04d}" for n in range(1, 10, 2)}


async def test_of_a_counted_category_no_row_leaves_and_every_id_is_known(world: FakeWorld) -> None:
    """The others' rows arrive; the counted ids stand in the ledger as counted, and nowhere is a word of them kept."""
    connection, run = await polled(world, shaping(auth="count-only"))
    assert set(world.table.ids) == ODD
    hour = await connection.ledger.hour(HOUR)
    assert (known(hour.counted.prefixes, world), known(hour.sent.prefixes, world)) == (EVEN, ODD)
    assert not hour.dead.prefixes
    assert (run.state, run.counts.sent, run.counts.counted, run.counts.dead) == ("ok", 5, 5, 0)
    row = world.health.rows[-1]
    assert (row["RowsCounted"], row["RowsSent"], row["ItemsRead"]) == (5, 5, 10)
    kept = b"".join(data for name, data in world.store.files.items() if not name.startswith("ledger/"))
    assert b"ana@example.com" not in kept and b"activity_0000" not in kept


async def test_counted_activities_are_not_counted_twice(world: FakeWorld) -> None:
    """The overlap meets them again and knows them, as it knows what was sent."""
    connection, _ = await polled(world, shaping(auth="count-only"))
    world.clock.advance(timedelta(minutes=11))
    again = await live.poll(connection)
    assert (again.counts.repeated, again.counts.counted, again.counts.sent) == (10, 0, 0)


async def test_bytes_are_those_that_were_accepted(world: FakeWorld) -> None:
    """`bridge.sent.bytes` and BytesByCategory are what ingestion is billed by: nothing for what never left."""
    _, run = await polled(world, shaping(auth="count-only"))
    assert set(run.counts.bytes_by_category) == {"user_admin"}


async def test_the_digest_of_an_hour_says_how_many_were_only_counted(world: FakeWorld) -> None:
    """`ids` and `sum` are what the workspace must hold; `counted` explains the rest of what the feed showed."""
    connection, _ = await polled(world, shaping(auth="count-only"))
    told = hour_digest(HOUR, await connection.ledger.hour(HOUR), {prefix_of(h.id) for h in world.happenings})
    count, total = digest(prefix_of(id) for id in ODD)
    assert (told["ids"], told["sum"], told["counted"], told["feed"], told["dead"]) == (count, total, 5, 10, 0)


class Stored:
    """A workspace made of the fake table's rows."""

    def __init__(self, world: FakeWorld) -> None:
        self._world = world

    async def wait_for_run(self, run_id: str, *, until: datetime) -> bool:
        return True

    async def ids(self, connection: str, start: datetime, end: datetime) -> set[str]:
        rows = self._world.table.rows
        return {row["ActivityId"] for row in rows if start <= datetime.fromisoformat(row["EventTime"]) < end}

    async def hours(self, connection: str, start: datetime, end: datetime) -> dict[Hour, tuple[int, int]]:
        by_hour: dict[Hour, set[bytes]] = {}
        for row in self._world.table.rows:
            at = datetime.fromisoformat(row["EventTime"])
            if start <= at < end:
                by_hour.setdefault(hour_of(at), set()).add(prefix_of(row["ActivityId"]))
        return {hour: digest(prefixes) for hour, prefixes in by_hour.items()}


async def test_the_proof_counts_them_and_a_repair_sends_none(world: FakeWorld) -> None:
    """The hour is proved, and says how many were counted; --repair of a lost row brings back that row alone."""
    connection, _ = await polled(world, shaping(auth="count-only"))
    connection = replace(connection, workspace=Stored(world))
    world.clock.advance(timedelta(hours=2))
    run, proof = await prove(connection, Window(NOON, NOON + timedelta(hours=1)))
    (hour,) = proof.hours
    assert (hour.verdict, hour.feed, hour.sent, hour.counted, hour.rows) == ("proved", 10, 5, 5, 5)
    assert run.digests[0]["counted"] == 5
    lost = world.table.rows.pop()
    run, proof = await prove(connection, Window(NOON, NOON + timedelta(hours=1)), repair=True)
    assert (proof.hours[0].verdict, proof.repaired, run.counts.counted) == ("missing", 1, 0)
    assert world.table.rows[-1]["ActivityId"] == lost["ActivityId"] and set(world.table.ids) == ODD


async def test_the_parser_agrees(world: FakeWorld) -> None:
    """ClaudeProof, asked of the rows as they were sent, says what the bridge says; a lost row is missing."""
    connection, _ = await polled(world, shaping(auth="count-only"))
    world.clock.advance(timedelta(hours=2))
    await prove(connection, Window(NOON, NOON + timedelta(hours=1)))
    for rows, verdict in ((world.table.rows, "proved"), (world.table.rows[:-1], "missing")):
        workspace = LocalWorkspace.create(
            None, SimulatedClock(NOON), [tables.load(name) for name in tables.table_names()]
        )
        try:
            workspace.store(tables.ACTIVITY, rows, ingested_at=NOON)
            workspace.store(tables.HEALTH, world.health.rows, ingested_at=NOON)
            (answer,) = workspace.query("ClaudeProof()").objects()
        finally:
            workspace.close()
        assert (answer["Verdict"], answer["Feed"], answer["Delivered"], answer["Counted"]) == (verdict, 10, 5, 5)


async def test_sweeps_know_counted_ids(world: FakeWorld) -> None:
    """A sweep of the hour sends nothing, misses nothing and counts nothing anew."""
    connection, _ = await polled(world, shaping(auth="count-only"))
    world.clock.advance(timedelta(hours=2))
    await live.poll(connection)
    runs = [run for run in await backfill.work_plan(connection) if run.kind == "sweep"]
    assert runs and {run.state for run in runs} == {"ok"}
    assert sum(run.missing + run.counts.sent + run.counts.counted for run in runs) == 0
    assert any(told["feed"] == 10 and told["counted"] == 5 for run in runs for told in run.digests)


async def test_what_waits_aside_is_only_counted_once_the_category_is(world: FakeWorld) -> None:
    """A replay after the organization chose count-only sends no row of that category."""
    refused: set[bytes] = {prefix_of(id) for id in EVEN}
    world.table.refuses = lambda row: row.prefix in refused
    connection, _ = await polled(world, shaping())
    world.table.refuses = lambda row: False
    run = await replay(replace(connection, shaping=shaping(auth="count-only")))
    assert set(world.table.ids) == ODD
    assert (run.state, run.counts.sent) == ("ok", 0)


def pipeline(world: FakeWorld, shaping: Shaping) -> Pipeline:
    connection = connection_of(world, shaping)
    run = Run("run-1", RunKind.LIVE, NOON, connection="test")
    return connection.pipeline(run, deadline=NOON + timedelta(minutes=1))


def page(*activities: dict[str, Any]) -> Page:
    return Page(list(activities), False, None, "req_1", NOON, 0)


BIG = documented_activity("user_logged_out") | {"actor": ADMIN, "future_note": "to ana@example.com " + "x" * 40_000}


def overflow_of(world: FakeWorld) -> dict[str, bytes]:
    return {name: data for name, data in world.store.files.items() if name.startswith("overflow/")}


async def test_of_a_counted_activity_no_original_is_kept() -> None:
    """An activity too large for its cells is counted like any other: nothing of it goes to overflow/."""
    world = FakeWorld()
    await pipeline(world, shaping(auth="count-only")).handle(page(BIG))
    assert world.table.rows == [] and overflow_of(world) == {}


async def test_the_kept_original_of_a_pseudonymous_row_names_nobody() -> None:
    """overflow/ holds the whole activity, with hashes where people stood."""
    world = FakeWorld()
    await pipeline(world, shaping(every="pseudonymous")).handle(page(BIG))
    ((name, kept),) = overflow_of(world).items()
    assert b"ana@example.com" not in kept and b"192.0.2.7" not in kept
    assert json.loads(kept)["future_note"].endswith("x" * 40_000)
    assert world.table.rows[0]["Handling"]["overflow"]["pointer"] == name


@pytest.mark.parametrize("mode", ["full", "pseudonymous"])
async def test_the_digest_of_a_kept_original_is_that_of_the_file(mode: Mode) -> None:
    """Handling.overflow tells the size and SHA-256 of what its pointer leads to, in every mode."""
    world = FakeWorld()
    await pipeline(world, shaping(every=mode)).handle(page(BIG))
    ((_, kept),) = overflow_of(world).items()
    told = world.table.rows[0]["Handling"]["overflow"]
    assert (told["sha256"], told["bytes"]) == (hashlib.sha256(kept).hexdigest(), len(kept))


@pytest.mark.parametrize("mode", ["full", "pseudonymous"])
@pytest.mark.parametrize("count", [1_500, 4_000])
async def test_hashes_longer_than_addresses_burst_no_cell(mode: Mode, count: int) -> None:
    """The service cuts silently what is too long: a cell that grows is cut by us, and the original kept."""
    world = FakeWorld()
    crowded = documented_activity("user_logged_out") | {"future_note": " ".join(["a@b.co"] * count)}
    await pipeline(world, shaping(every=mode)).handle(page(crowded))
    (row,) = world.table.rows
    cut = [name for name, cell in row.items() if len(encode(cell)) > limits.CELL_LIMIT_BYTES + 2]
    assert cut == []
    assert mode == "full" or overflow_of(world)


# An older table.

NEWER = ("TargetUserEmail", "TargetRole", "Changes")


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[tables.Table]:
    """This release as if it had brought three of its columns with version 2 of the table."""
    first = tables.load(tables.ACTIVITY)
    columns = tuple(replace(column, since=2) if column.name in NEWER else column for column in first.columns)
    second = replace(first, version=2, columns=columns)
    load = tables.load
    monkeypatch.setattr(tables, "load", lambda name: second if name == tables.ACTIVITY else load(name))
    yield second


def restored(row: dict[str, Any]) -> dict[str, Any]:
    """A row of an older table with its newer columns put back where they belong."""
    handling, details = dict(row.get("Handling", {})), dict(row.get("Details", {}))
    columns = {name: details.pop(name) for name in handling.pop("newerColumns", ())}
    whole = {**row, **columns, "Details": details, "Handling": handling}
    return {name: value for name, value in whole.items() if value or name not in ("Details", "Handling")}


ROWS = [fold(activity, CARRIAGE).row for activity in samples(at=AT)]


def test_what_an_older_table_lacks_goes_into_details(second_version: tables.Table) -> None:
    """Code of version 2 over a table of version 1: the new columns' values are in Details, named in Handling."""
    older = Shaping(deployed_version=1)
    moved = 0
    for row in ROWS:
        shaped = older.row(row)
        newer = sorted(row.keys() & set(NEWER))
        assert shaped.get("Handling", {}).get("newerColumns", []) == newer
        assert {name: shaped["Details"][name] for name in newer} == {name: row[name] for name in newer}
        assert shaped.keys().isdisjoint(NEWER)
        moved += len(newer)
    assert moved > 100


def test_nothing_else_changes(second_version: tables.Table) -> None:
    """Every other column is as it was; a row without new columns is the same object; putting back gives the row."""
    older = Shaping(deployed_version=1)
    for row in ROWS:
        before = json.dumps(row)
        shaped = older.row(row)
        assert restored(shaped) == row
        assert json.dumps(row) == before
        assert (shaped is row) == row.keys().isdisjoint(NEWER)


def test_what_the_deployed_rule_does_not_declare_never_leaves(second_version: tables.Table) -> None:
    """A column the DCR does not know would be dropped without a word: only declared names are sent."""
    declared = {column.name for column in second_version.columns if column.since <= 1}
    assert all(Shaping(deployed_version=1).row(row).keys() <= declared for row in ROWS)


def test_handling_keeps_what_it_said_before(second_version: tables.Table) -> None:
    """newerColumns stands beside withheld, escaped and overflow."""
    row = {"TargetRole": "admin", "Handling": {"withheld": ["title"]}, "Details": {"title": None}}
    shaped = Shaping(deployed_version=1).row(row)
    assert shaped["Handling"] == {"withheld": ["title"], "newerColumns": ["TargetRole"]}
    assert shaped["Details"] == {"title": None, "TargetRole": "admin"}


def test_a_field_spelled_like_a_newer_column_loses_nothing(second_version: tables.Table) -> None:
    """An activity may carry an undeclared field with a column's name: both values are kept."""
    row = {"TargetRole": "admin", "Details": {"TargetRole": "the API's own"}}
    text = json.dumps(Shaping(deployed_version=1).row(row))
    assert "admin" in text and "the API's own" in text


def test_a_newer_personal_column_is_hidden_before_it_moves(second_version: tables.Table) -> None:
    """Details must not show in clear what the column would have shown as a hash."""
    row = fold(documented_activity("org_user_invite_sent") | {"invited_email": "ana@example.com"}, CARRIAGE).row
    shaped = shaping(1, every="pseudonymous").row(row)
    assert shaped["Details"]["TargetUserEmail"] == shaping(every="pseudonymous").minimizer.pseudonym("ana@example.com")
    assert "ana@example.com" not in json.dumps(shaped)


async def test_a_moved_column_bursts_no_cell(second_version: tables.Table) -> None:
    """Details that grow by a column stay within what the service stores."""
    world = FakeWorld()
    changes = [{"type": "name", "previous_value": "a" * 25_000, "current_value": "b"}]
    activity = documented_activity("platform_workspace_updated") | {"updates": changes, "future_note": "c" * 25_000}
    await pipeline(world, shaping(1)).handle(page(activity))
    (row,) = world.table.rows
    assert [name for name, cell in row.items() if len(encode(cell)) > limits.CELL_LIMIT_BYTES + 2] == []


def test_upgrade_and_rollback(second_version: tables.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code first, table later, code back again: at every step each row says the same, and fits its table."""
    newer_code = [Shaping(deployed_version=version) for version in (1, 2)]
    waiting, upgraded = ([shaped.row(row) for row in ROWS] for shaped in newer_code)
    assert upgraded == ROWS
    assert [restored(row) for row in waiting] == upgraded
    monkeypatch.undo()
    assert tables.load(tables.ACTIVITY).version == 1
    older_code = Shaping(deployed_version=2)
    assert older_code.newer == frozenset()
    assert all(older_code.row(row) is row for row in ROWS)


def test_without_a_setting_the_table_is_this_releases_own(second_version: tables.Table) -> None:
    """DEPLOYED_TABLE_VERSIONS unset: nothing is moved."""
    assert Shaping().newer == frozenset()
    assert Shaping(deployed_version=1).newer == frozenset(NEWER)


def test_full_rows_can_be_unfolded_still() -> None:
    """With this release's own table and full rows shaping changes nothing: the activity can be read back."""
    named = replace(CARRIAGE, content_names=True)
    for activity in samples(at=AT):
        assert unfold(Shaping().row(fold(activity, named).row)) == activity


@pytest.mark.parametrize("mode", ["full", "count-only"])
def test_originals_of_other_modes_are_kept_as_they_came(mode: Mode) -> None:
    """`whole` changes a pseudonymous category's original and no other's."""
    original = b'{"who":"ana@example.com"}'
    assert shaping(auth=mode).whole(original, "auth") is original
    assert b"ana@example.com" not in shaping(auth="pseudonymous").whole(original, "auth")
    assert shaping(auth="pseudonymous").whole(original, "chats") is original
