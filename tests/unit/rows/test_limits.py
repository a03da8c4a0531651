"""What is too large is cut here and kept whole by the caller; nothing takes longer than its size."""

import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from shared.rows.canonical import canonical, encode
from shared.rows.limits import CELL_LIMIT_BYTES, MAX_ROW_BYTES
from shared.streams.activity.fold import Folded, RowContext, fold, unfold

CARRIAGE = RowContext("contoso", "run-1", "0.1.0", "live", False, datetime(2026, 10, 5, 9, 20, tzinfo=UTC))


def fitting(activity: dict[str, Any]) -> Folded:
    """Fold, and check what holds for every row."""
    folded = fold(activity, CARRIAGE)
    for name, cell in folded.row.items():
        size = len(encode(cell)) if isinstance(cell, dict | list) else len(str(cell).encode())
        assert size <= CELL_LIMIT_BYTES, name
    assert len(encode(folded.row)) <= MAX_ROW_BYTES
    return folded


def test_a_string_is_cut_between_characters_and_kept_whole() -> None:
    """A cell ends at a character, Handling says which column was cut, and the whole activity is handed over."""
    activity = {"id": "a", "type": "claude_chat_viewed", "claude_chat_id": "x" + "é" * 20_000}
    folded = fitting(activity)
    assert folded.row["ChatId"] == "x" + "é" * ((CELL_LIMIT_BYTES - 1) // 2)
    overflow = folded.overflow
    assert overflow is not None
    assert msgspec.json.decode(overflow.body) == activity
    assert folded.row["Handling"]["overflow"] == {
        "columns": ["ChatId", "ObjectId"],
        "sha256": sha256(canonical(activity)).hexdigest(),
        "bytes": len(overflow.body),
        "pointer": None,
    }
    assert overflow.columns == ("ChatId", "ObjectId")


def test_details_lose_their_largest_values_first() -> None:
    """Null stands for the values that had to go, the small ones are still there."""
    activity = {"id": "a", "type": "claude_chat_viewed", "big": "b" * 30_000, "bigger": "c" * 31_000, "small": [1]}
    details = fitting(activity).row["Details"]
    assert details == {"big": "b" * 30_000, "bigger": None, "small": [1]}


def test_an_activity_at_the_limit_is_not_touched() -> None:
    """Exactly as much as fits, fits."""
    activity = {"id": "a" * CELL_LIMIT_BYTES, "type": "claude_chat_viewed", "created_at": "2026-10-05T09:14:03Z"}
    folded = fitting(activity)
    assert folded.overflow is None
    assert unfold(folded.row) == activity


def test_withheld_names_are_not_in_the_overflow() -> None:
    """What may not reach the table does not reach the store beside it."""
    activity = {"type": "claude_file_uploaded", "filename": "secret-plan", "claude_file_id": "f" * 40_000}
    overflow = fitting(activity).overflow
    assert overflow is not None
    assert b"secret-plan" not in overflow.body


def test_cells_that_fit_alone_may_be_too_much_together() -> None:
    """A row of full cells that escape to six bytes a byte is cut to what an upload can take."""
    full = "\x01" * 31_000
    fields = ("claude_project_id", "claude_file_id", "claude_chat_id", "filler", "session_id", "agent_id")
    folded = fitting({"id": full, "type": "claude_file_uploaded", **dict.fromkeys(fields, full)})
    assert folded.overflow is not None


def test_many_changes_keep_their_names() -> None:
    """Of changes too large to show, the names stay; the list stops where the cell is full."""
    updates: list[dict[str, Any]] = [{"type": "policy", "previous_value": "p" * 40_000, "current_value": None}]
    cells = fitting({"id": "a", "type": "claude_organization_settings_updated", "updates": updates}).row
    assert cells["Changes"] == [{"name": "policy", "old": None, "new": None}]
    updates = [{"type": f"setting_{number}", "current_value": True} for number in range(5_000)]
    cells = fitting({"id": "a", "type": "claude_organization_settings_updated", "updates": updates}).row
    assert cells["Changes"][:1] == [{"name": "setting_0", "new": True}]


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "claude_chat_viewed", "claude_chat_id": "x" * 5_000_000},
        {"type": "t" * 5_000_000, "actor": {"type": "a" * 5_000_000}},
        {"type": "claude_chat_viewed", "actor": {"type": "user_actor", "user_agent": "é" * 2_000_000}},
        {"type": "claude_chat_viewed", **{f"key_{number}": number for number in range(100_000)}},
        {"type": "brand_new_updated", **{f"previous_{number}": number for number in range(100_000)}},
        {"type": "ccr_agent_updated", "updated_fields": ["slack_alias"] * 100_000, "slack_alias": "x" * 100_000},
        {"type": "claude_organization_settings_updated", "updates": [{"type": "a", "more": 1}] * 100_000},
        {"type": "group_member_added", "member_ids": ["user_01A"] * 200_000},
        {"type": "role_assignment_granted", "k" * 5_000_000: 1, "actor": {"type": "user_actor", "k" * 100_000: 1}},
        {"type": "claude_chat_viewed", "created_at": "z" * 5_000_000, "actor": "y" * 5_000_000},
    ],
    ids=lambda activity: f"{activity['type'][:20]}-{len(activity)}",
)
def test_the_huge_is_carried_in_time(activity: dict[str, Any]) -> None:
    """Megabytes in one field, or a hundred thousand fields, fit and take no longer than their size."""
    started = time.process_time()
    folded = fitting(activity)
    assert time.process_time() - started < 4
    assert folded.overflow is not None
    assert folded.overflow.body == canonical(activity)
    assert sum(len(name) for name in folded.unknown_fields) < 20_000
