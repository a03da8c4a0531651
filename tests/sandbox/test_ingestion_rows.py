"""How accepted rows are stored, by the sections of logs-ingestion.md."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.ingestion.rows import CELL_LIMIT_BYTES, RuleStream
from tests.kql.workspace_world import NOON, TABLE
from tests.sandbox.ingestion_world import World


def fitted(*elements: Any) -> Any:
    return RuleStream(TABLE).conform(list(elements), NOON)


async def test_undeclared_properties_are_dropped_and_counted() -> None:
    """Section 4: undeclared columns are dropped silently; so are elements that are not objects."""
    world = World()
    assert (await world.post([{"Id": "a", "Extra": 1, "Other": None}, "text", 5, {"Extra": {}}])).status_code == 204
    assert world.stored() == [("a",), ("",)]
    assert world.metrics.columns_dropped == {"Extra": 2, "Other": 1}
    assert (world.metrics.rows_received, world.metrics.rows_dropped, world.metrics.rows_stored) == (4, 2, 2)


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("Id", "text", "text"),
        ("Id", 5, None),
        ("Id", {"a": 1}, None),
        ("Size", 5, 5),
        ("Size", -(2**63), -(2**63)),
        ("Size", 2**63, None),
        ("Size", "5", None),
        ("Size", 5.5, None),
        ("Size", True, None),
        ("Rank", 2**31 - 1, 2**31 - 1),
        ("Rank", 2**31, None),
        ("Share", 5, 5),
        ("Share", 0.5, 0.5),
        ("Share", "0.5", None),
        ("IsBackfill", False, False),
        ("IsBackfill", "true", None),
        ("IsBackfill", 1, None),
        ("Details", {"a": [1]}, {"a": [1]}),
        ("Details", [], []),
        ("Details", "text", "text"),
        ("Details", 5, 5),
        ("EventTime", "2026-11-20T13:00:00+02:00", datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("EventTime", "2026-11-20T11:00:00.1234567Z", datetime(2026, 11, 20, 11, 0, 0, 123456, UTC)),
        ("EventTime", "2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("EventTime", "yesterday", None),
        ("EventTime", "0001-01-01T00:00:00+02:00", None),
        ("EventTime", 1_700_000_000, None),
    ],
)
def test_a_wrong_type_becomes_null_and_is_counted(column: str, value: Any, kept: Any) -> None:
    """Section 4: a wrong-typed value is null in the table; the row itself stays."""
    result = fitted({column: value})
    assert result.rows[0].get(column) == kept
    assert type(result.rows[0].get(column)) is type(kept)
    assert result.cells_nulled == ({column: 1} if kept is None else {})


async def test_nulled_cells_are_null_in_the_workspace() -> None:
    """Section 4: the query finds the row with the bad cells empty, everything else as sent."""
    world = World()
    await world.post([{"Id": "a", "Size": "5", "Share": 0.5, "Details": {"k": None}, "EventTime": "soon"}])
    assert world.stored("Id, Size, Share, Details, EventTime") == [("a", None, 0.5, {"k": None}, None)]
    assert world.metrics.cells_nulled == {"Size": 1, "EventTime": 1}


@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀"])
def test_long_text_is_cut_at_a_character(letter: str) -> None:
    """Section 2: over 64 KB, counted in UTF-8 bytes, a value is cut silently; the limit itself still fits."""
    fits = letter * (CELL_LIMIT_BYTES // len(letter.encode()))
    result = fitted({"Id": fits, "Name": fits + letter * 2})
    row = result.rows[0]
    assert row["Id"] == fits
    assert row["Name"] == fits
    assert result.cells_cut == {"Name": 1}


def test_a_long_dynamic_is_cut_to_text() -> None:
    """Section 2: a dynamic counts as one field; its truncated JSON is text."""
    small, large = {"k": "x" * 65_000}, {"k": "x" * 66_000}
    result = fitted({"Details": small}, {"Details": large})
    assert result.rows[0]["Details"] == small
    assert result.rows[1]["Details"].startswith('{"k":"xxx')
    assert len(result.rows[1]["Details"]) == CELL_LIMIT_BYTES
    assert result.cells_cut == {"Details": 1}


@pytest.mark.parametrize(
    ("generated", "expected", "replaced"),
    [
        (None, NOON, 0),
        (NOON, NOON, 0),
        (NOON - timedelta(days=2), NOON - timedelta(days=2), 0),
        (NOON - timedelta(days=2, microseconds=1), NOON, 1),
        (NOON + timedelta(days=1), NOON + timedelta(days=1), 0),
        (NOON + timedelta(days=1, microseconds=1), NOON, 1),
    ],
)
def test_time_generated_has_a_window(generated: datetime | None, expected: datetime, replaced: int) -> None:
    """Section 5: older than two days or more than a day ahead of receipt is replaced by the receipt; so is nothing."""
    result = fitted({} if generated is None else {"TimeGenerated": generated.isoformat()})
    assert result.rows[0]["TimeGenerated"] == expected
    assert result.times_replaced == replaced


def test_an_unreadable_time_generated_is_the_receipt() -> None:
    """Sections 4 and 5: a bad TimeGenerated is null first, and then the receive time."""
    result = fitted({"TimeGenerated": "soon"})
    assert result.rows[0]["TimeGenerated"] == NOON
    assert (result.cells_nulled, result.times_replaced) == ({"TimeGenerated": 1}, 0)


async def test_ingestion_time_is_receipt_plus_the_delay() -> None:
    """Sections 4 and 5: stored is a little later than received."""
    world = World(delay=timedelta(seconds=8))
    await world.post([{"Id": "a"}])
    world.clock.advance(timedelta(minutes=5))
    await world.post([{"Id": "b"}])
    assert world.stored("Id, TimeGenerated, At = ingestion_time()") == [
        ("a", NOON, NOON + timedelta(seconds=8)),
        ("b", NOON + timedelta(minutes=5), NOON + timedelta(minutes=5, seconds=8)),
    ]


async def test_odd_text_arrives_as_sent() -> None:
    """Section 1: UTF-8 JSON; escapes, control characters, emoji and right-to-left text survive to the query."""
    texts = ['"\\\n\t', "\u0001\u007f", "😀 漢字", "\u202eabc", "'; --", "null", "\u0000nul"]
    world = World()
    await world.post([{"Id": text, "Details": {"t": text}} for text in texts], zipped=True)
    assert world.stored("Id, Details") == [(text, {"t": text}) for text in texts]
