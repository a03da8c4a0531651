"""Cursors: opaque to clients; inside, a position in the feed (section 5, live-api-notes.md 3)."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class FeedPosition:
    """A position in the feed's order: by `created_at`, ties by id. The activity itself may be gone."""

    created_at: datetime
    id: str


def encode(position: FeedPosition) -> str:
    text = json.dumps({"created_at": position.created_at.isoformat(), "id": position.id})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> FeedPosition | None:
    """The position inside, or None if this is not one of our cursors."""
    padded = cursor.rstrip("=") + "=" * (-len(cursor.rstrip("=")) % 4)
    try:
        inside = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        created_at = datetime.fromisoformat(inside["created_at"])
        identity = inside["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if created_at.tzinfo is None or not isinstance(identity, str):
        return None
    return FeedPosition(created_at, identity)
