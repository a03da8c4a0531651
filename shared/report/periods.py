"""Which period a report is about, and what it is called: the last whole week or month, or two given moments."""

from datetime import datetime, timedelta
from typing import Literal

from shared.models import Window

Every = Literal["off", "weekly", "monthly"]
DAY = timedelta(days=1)


def last_period(every: Every, now: datetime) -> Window | None:
    """The last whole calendar week (Monday to Sunday) or month, UTC; None when reports are off."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if every == "weekly":
        end = midnight - midnight.weekday() * DAY
        return Window(end - 7 * DAY, end)
    if every == "monthly":
        end = midnight.replace(day=1)
        return Window((end - DAY).replace(day=1), end)
    return None


def name_of(period: Window) -> str:
    """`2026-10` for a month, `2026-W44` for an ISO week, else both moments to the second: `20261005T000000Z-...`."""
    start, end = period.gte, period.lt
    whole = start == start.replace(hour=0, minute=0, second=0, microsecond=0)
    if whole and start.day == 1 and end == (start + 31 * DAY).replace(day=1):
        return f"{start:%Y-%m}"
    if whole and start.weekday() == 0 and period.span == 7 * DAY:
        return f"{start:%G-W%V}"
    return f"{start:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}"
