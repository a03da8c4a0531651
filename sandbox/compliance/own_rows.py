"""The API's own activities: one per authenticated request (section 6.4, live-api-notes.md 4)."""

import hashlib
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.activity import FeedEntry, feed_entry

PUBLIC_URL = "https://api.anthropic.com"


class SeededIds:
    """Request and activity ids that look random and are reproducible from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._requests = itertools.count(1)
        self._activities = itertools.count(1)

    def request(self) -> str:
        return f"req_011{self._tail('request', next(self._requests))}"

    def activity(self) -> str:
        return f"activity_01{self._tail('activity', next(self._activities))}"

    def _tail(self, what: str, number: int) -> str:
        return hashlib.blake2b(f"{self._seed}/{what}/{number}".encode(), digest_size=11).hexdigest()


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One authenticated request, as its activity records it; `path_and_query` as sent."""

    key_id: str
    ip_address: str
    user_agent: str
    request_id: str
    method: str
    path_and_query: str
    status: int


def own_row(access: AccessRecord, activity_id: str, at: datetime, indexing_delay: timedelta) -> FeedEntry:
    """The `compliance_api_accessed` activity of `access`; no organization, whatever the key."""
    activity = {
        "id": activity_id,
        "type": "compliance_api_accessed",
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "organization_id": None,
        "organization_uuid": None,
        "actor": {
            "type": "api_actor",
            "api_key_id": access.key_id,
            "ip_address": access.ip_address,
            "user_agent": access.user_agent,
        },
        "request_id": access.request_id,
        "request_method": access.method,
        "url": PUBLIC_URL + access.path_and_query,
        "status_code": access.status,
        "request_body": None,
    }
    return feed_entry(activity, visible_at=at + indexing_delay)
