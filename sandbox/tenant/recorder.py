"""Records activities as feed entries: with an id, a time in one of the API's formats, and an indexing delay."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.activity import FeedEntry, feed_entry
from sandbox.tenant.company import TenantOrganization
from sandbox.tenant.ids import Ids

# Visible up to two days after they are recorded (compliance-api.md, 6.4).
ACCESS_TRANSPARENCY: Final = frozenset({"anthropic_access", "cmek_preserve"})
# Belong to no organization (compliance-api.md, 6.3): signing in and out, and reading the Compliance API.
_WITHOUT_ORGANIZATION: Final = (
    "sso_",
    "magic_link_",
    "social_login_",
    "anonymous_mobile_",
    "phone_code_",
    "user_logged_out",
)
_DRIFT_SHARE: Final = 0.0005
_UNKNOWN_TYPE: Final = "claude_canvas_opened"
_UNKNOWN_FIELD: Final = "new_field"


@dataclass(frozen=True, slots=True)
class Blind:
    """A period with compliance logging off for an organization; nothing of it is recorded."""

    organization_id: str
    since: datetime
    until: datetime


def without_organization(type: str) -> bool:
    """Whether activities of this type have a null organization."""
    return type.startswith(_WITHOUT_ORGANIZATION) or type == "compliance_api_accessed"


class Recorder:
    """Collects entries within [start, end); `take` removes those before a given time, in the feed's order."""

    def __init__(self, *, start: datetime, end: datetime, seed: int, late_share: float) -> None:
        self.start, self.end = start, end
        self.blind: list[Blind] = []
        self._late_share = late_share
        self._rng = random.Random(f"{seed}/feed")
        self._ids = Ids(self._rng)
        self._entries: list[FeedEntry] = []

    def record(
        self,
        at: datetime,
        type: str,
        actor: Mapping[str, Any],
        organization: TenantOrganization | None,
        fields: Mapping[str, Any],
        *,
        drift: bool = True,
    ) -> str | None:
        """Record one activity and return its id; None if it is outside the simulation or in a blind window."""
        if not self.start <= at < self.end:
            return None
        for blind in self.blind:
            if organization and organization.id == blind.organization_id and blind.since < at < blind.until:
                return None
        rng = self._rng
        activity: dict[str, Any] = {"id": self._ids.new("activity"), "type": type, "created_at": self._formatted(at)}
        if organization and not without_organization(type):
            activity["organization_id"] = organization.id
            activity["organization_uuid"] = organization.uuid
        elif rng.random() < 0.95:  # documented as null or absent
            activity["organization_id"] = None
            activity["organization_uuid"] = None
        activity["actor"] = actor
        activity.update(fields)
        roll = rng.random()
        if drift and roll < _DRIFT_SHARE:
            if roll < _DRIFT_SHARE / 2:
                activity[_UNKNOWN_FIELD] = [1, {"nested": True}]
            else:
                opened = {"canvas_id": self._ids.new("canvas"), "opened_from": "sidebar"}
                self.record(at, _UNKNOWN_TYPE, actor, organization, opened, drift=False)
        self._entries.append(feed_entry(activity, visible_at=at + self._delay(type)))
        return str(activity["id"])

    def take(self, before: datetime) -> list[FeedEntry]:
        """Remove and return the entries created before `before`, sorted by time, ties by id."""
        ready = [entry for entry in self._entries if entry.created_at < before]
        self._entries = [entry for entry in self._entries if entry.created_at >= before]
        ready.sort(key=lambda entry: (entry.created_at, entry.id))
        return ready

    def _formatted(self, at: datetime) -> str:
        """Mostly microseconds and `Z`; one in twelve without a fraction, one in twenty-five with `+00:00`."""
        roll = self._rng.random()
        if roll < 0.08:
            return at.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = at.replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{text}+00:00" if roll < 0.12 else f"{text}Z"

    def _delay(self, type: str) -> timedelta:
        rng = self._rng
        if type in ACCESS_TRANSPARENCY:
            return timedelta(hours=rng.uniform(1, 48))
        if rng.random() < self._late_share:
            return timedelta(minutes=2 * (40 * 60 / 2) ** rng.random())  # 2 minutes to 40 hours, log-uniform
        return timedelta(seconds=rng.uniform(5, 50))
