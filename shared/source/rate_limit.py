"""The request budgets of a parent organization, as the response headers report them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LIMIT_HEADER = "anthropic-ratelimit-requests-limit"
REMAINING_HEADER = "anthropic-ratelimit-requests-remaining"
RESET_HEADER = "anthropic-ratelimit-requests-reset"
MINUTE = timedelta(minutes=1)


class RequestBudget(StrEnum):
    """What a call is counted against. Documented are three.

    COMPLIANCE: 600 a minute for each parent organization, all keys together. REMOTE_SESSIONS: a second one on top, its
    size not disclosed; the headers of its 429 describe the first. ANALYTICS: 60 a minute. NOT_STATED: the rest of the
    Admin API, kept apart so that its headers cannot change what is known of the others.
    """

    COMPLIANCE = "compliance"
    REMOTE_SESSIONS = "remote sessions"
    ANALYTICS = "analytics"
    NOT_STATED = "not stated"


@dataclass(slots=True)
class RateLimit:
    """What the API last said is left; None until it has said something (the headers can be absent, on a 403 say).

    `heard_at` is our clock when it was said: a word older than a minute is about a minute that is over.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None
    heard_at: datetime | None = None

    def hear(self, headers: Mapping[str, str], now: datetime) -> None:
        """Take in one answer's headers; values that cannot be read are as good as absent."""
        remaining = _whole(headers.get(REMAINING_HEADER))
        if remaining is None:
            return
        self.remaining, self.heard_at = remaining, now
        self.limit = _whole(headers.get(LIMIT_HEADER)) or self.limit
        self.reset_at = _moment(headers.get(RESET_HEADER))

    def spend(self) -> None:
        """One request is about to go out: several readers must not all count on the same last answer."""
        if self.remaining is not None:
            self.remaining = max(0, self.remaining - 1)

    def wait_for(self, reserve: int, now: datetime) -> timedelta:
        """How long planned reading should wait so that `reserve` requests stay free for live reading."""
        if self.remaining is None or self.heard_at is None or self.remaining > reserve:
            return timedelta(0)
        fresh_at = min(self.reset_at or self.heard_at + MINUTE, self.heard_at + MINUTE)
        return max(timedelta(0), fresh_at - now)


class RateLimits:
    """A `RateLimit` for each budget; one for all clients whose keys belong to the same parent organization.

    Remote sessions have none of their own: nothing reports their second budget, so its 429 is waited out.
    """

    def __init__(self) -> None:
        shared = RateLimit()
        self._limits = {
            RequestBudget.COMPLIANCE: shared,
            RequestBudget.REMOTE_SESSIONS: shared,
            RequestBudget.ANALYTICS: RateLimit(),
            RequestBudget.NOT_STATED: RateLimit(),
        }

    def of(self, budget: RequestBudget) -> RateLimit:
        return self._limits[budget]


def _whole(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
