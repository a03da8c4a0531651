"""Invented activities in large numbers: identical except for id, time and whether the table refuses them."""

from datetime import datetime

from sandbox.activity import FeedEntry, feed_entry

REFUSED_TYPE = "chaos_row_the_table_refuses"


def made(number: int, at: datetime, *, visible_at: datetime | None = None, refused: bool = False) -> FeedEntry:
    """Activity `number`, created `at`."""
    return feed_entry(
        {
            "id": f"activity_{number:07d}",
            "type": REFUSED_TYPE if refused else "claude_chat_created",
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "organization_id": "org_01Chaos",
            "organization_uuid": "5a5a5a5a-0000-4000-8000-00000000c405",
            "actor": {
                "type": "user_actor",
                "user_id": f"user_{number % 50:02d}",
                "email_address": f"person{number % 50}@example.com",
                "ip_address": f"192.0.2.{number % 250}",
                "user_agent": "Mozilla/5.0",
            },
            "claude_chat_id": f"claude_chat_{number:07d}",
        },
        visible_at=visible_at,
    )
