"""A small world for the simulator's tests: a clock, keys, a feed, and an in-process client."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from sandbox.activity import FeedEntry, feed_entry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, READ_AUDIT, READ_ORGANIZATIONS, ApiKey
from shared.clock import SimulatedClock

NOON = datetime(2026, 10, 5, 12, 0, 0, tzinfo=UTC)
ACTIVITIES = "/v1/compliance/activities"
ORGANIZATIONS = "/v1/compliance/organizations"

BRIDGE = ApiKey("sk-ant-api01-bridge", "apikey_01FAKEbridge", "compliance", frozenset({READ_ACTIVITIES}))
AUDITOR = ApiKey("sk-ant-api01-auditor", "apikey_01FAKEauditor", "compliance", frozenset({READ_AUDIT}))
DIRECTORY = ApiKey("sk-ant-api01-directory", "apikey_01FAKEdirectory", "compliance", frozenset({READ_ORGANIZATIONS}))
ADMIN = ApiKey("sk-ant-admin01-console", "apikey_01FAKEadmin", "admin", frozenset({"api:admin", READ_ACTIVITIES}))
STALE = ApiKey("sk-ant-admin01-stale", "apikey_01FAKEstale", "admin", frozenset({READ_ACTIVITIES}), expired=True)
MODEL = ApiKey("sk-ant-api03-model", "apikey_01FAKEmodel", "claude", frozenset())
LOCAL = ApiKey(
    "sk-ant-api01-local", "apikey_01FAKElocal", "compliance", frozenset({READ_ACTIVITIES}),
    organization_ids=frozenset({"org_01A", "uuid-a"}),
)  # fmt: skip
KEYS = (BRIDGE, AUDITOR, DIRECTORY, ADMIN, STALE, MODEL, LOCAL)


def activity(number: int, at: datetime, **changes: Any) -> dict[str, Any]:
    """A well-formed activity; `changes` are its top-level fields."""
    return {
        "id": f"activity_01{number:05d}",
        "type": "claude_chat_created",
        "created_at": at.isoformat(),
        "organization_id": "org_01A",
        "organization_uuid": "uuid-a",
        "actor": {"type": "user_actor", "user_id": "user_01mara", "email_address": "mara.lind@contoso.example"},
        **changes,
    }


def entry(number: int, at: datetime, *, visible_at: datetime | None = None, **changes: Any) -> FeedEntry:
    return feed_entry(activity(number, at, **changes), visible_at=visible_at)


def minutes_before_noon(count: int) -> list[FeedEntry]:
    """`count` entries one minute apart, oldest first, the last one a minute before noon."""
    return [entry(number, NOON - timedelta(minutes=count - number)) for number in range(count)]


class World:
    """An app at noon, and requests to it; `options` go to `compliance_app`."""

    def __init__(self, *entries: FeedEntry, **options: Any) -> None:
        self.clock = SimulatedClock(NOON)
        self.feed = SimulatedFeed(entries)
        self.app: Starlette = compliance_app(self.feed, KEYS, self.clock, **{"own_rows": False, **options})

    async def get(
        self, path: str = ACTIVITIES, *, key: ApiKey | str | None = BRIDGE, method: str = "GET", **params: Any
    ) -> httpx.Response:
        """One request; a `__` in a parameter's name stands for its dot, a trailing `_` for its brackets."""
        query = {name.replace("__", ".").removesuffix("_") + "[]" * name.endswith("_"): params[name] for name in params}
        headers = {} if key is None else {"x-api-key": key if isinstance(key, str) else key.secret}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.anthropic.com") as client:
            return await client.request(method, path, params=query, headers=headers)

    async def ids(self, **params: Any) -> list[str]:
        """The ids of one page; the request must succeed."""
        response = await self.get(**params)
        assert response.status_code == 200, response.text
        return [each["id"] for each in response.json()["data"]]


def said(response: httpx.Response) -> tuple[int, str, str]:
    """Status, error type and message of a refusal."""
    error = response.json()["error"]
    return response.status_code, error["type"], error["message"]
