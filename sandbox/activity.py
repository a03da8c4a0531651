"""One activity of the simulated feed: the bytes served, and the fields used to sort and filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """`body` is the activity's JSON exactly as served; from `visible_at` on the API returns it."""

    created_at: datetime
    id: str
    visible_at: datetime
    type: str
    user_id: str | None
    organization_id: str | None
    organization_uuid: str | None
    body: bytes


def feed_entry(activity: Mapping[str, Any], *, visible_at: datetime | None = None) -> FeedEntry:
    """Index a well-formed activity; `visible_at` defaults to its own `created_at` (no indexing delay)."""
    created_at = datetime.fromisoformat(activity["created_at"]).astimezone(UTC)
    actor = activity.get("actor") or {}
    return FeedEntry(
        created_at=created_at,
        id=activity["id"],
        visible_at=visible_at or created_at,
        type=activity["type"],
        user_id=actor.get("user_id"),
        organization_id=activity.get("organization_id"),
        organization_uuid=activity.get("organization_uuid"),
        body=_encode(activity),
    )


def raw_entry(body: bytes, *, at: datetime, id: str, type: str = "") -> FeedEntry:
    """Serve `body` unchanged at position (`at`, `id`): malformed input, or a file line that is not an activity."""
    return FeedEntry(at, id, at, type, None, None, None, body)
