"""A day of faults, drawn from a seed: when each kind starts and ends, and the servers' faults for it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.faults import Fault, Faults

ALWAYS = 10**9
MINUTE = timedelta(minutes=1)
FIRST, LAST = 30, 22 * 60
"""Minutes of the day in which a fault may start, so that it ends well before the day does."""

FaultRate = tuple[str, float, dict[str, Any]]
"""A kind of fault, the share of affected requests, and its options."""

API: Mapping[str, tuple[FaultRate, ...]] = {
    "rate limits": (("rate_limited", 0.4, {"retry_after": 20}), ("rate_limited_bare", 0.1, {})),
    "server errors": (("server_error", 0.3, {}), ("overloaded", 0.2, {}), ("bad_gateway", 0.1, {})),
    "cut bodies": tuple(("cut_body", 0.12, {"how": how}) for how in ("short", "length", "chunked")),
    "false ends": (("false_end", 0.5, {}),),
    "cursors expire": (("cursor_expired", 0.5, {}),),
    "contradictions": (("no_has_more", 0.1, {}), ("stuck_cursor", 0.1, {}), ("repeated_page", 0.1, {})),
}
SINK: Mapping[str, tuple[FaultRate, ...]] = {
    "no sink": (("unavailable", 1.0, {"retry_after": 5}),),
    "sink storm": (
        ("throttled", 0.2, {"retry_after": 10}),
        ("server_error", 0.1, {}),
        ("stored_then_reset", 0.1, {}),
        ("unauthorized_once", 0.05, {}),
    ),
    "not stored": (("not_stored", 0.4, {}),),
}
ACTIONS = ("date ahead", "date behind", "clock ahead", "clock behind", "two bridges", "rotation", "damage")
"""Faults produced by the test instead of a server."""


@dataclass(frozen=True)
class FaultPeriod:
    """The period of one fault: `[start, end)`."""

    start: datetime
    end: datetime

    def at(self, now: datetime) -> bool:
        return self.start <= now < self.end


@dataclass
class FaultSchedule:
    """Every fault once, each at a random time; they may overlap. `dropped` are the activities that were acknowledged
    and not stored."""

    start: datetime
    chance: random.Random
    periods: dict[str, FaultPeriod] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (*API, *SINK, *ACTIONS):
            begins = self.start + self.chance.randint(FIRST, LAST) * MINUTE
            lasts = 60 if name == "no sink" else self.chance.randint(15, 60)
            self.periods[name] = FaultPeriod(begins, begins + lasts * MINUTE)

    def at(self, name: str, now: datetime) -> bool:
        return self.periods[name].at(now)

    def begins(self, name: str, now: datetime) -> bool:
        """Whether it starts in the minute that ends `now`."""
        return now - MINUTE < self.periods[name].start <= now

    def install(self, api: Faults, sink: Faults) -> None:
        """Add the faults of the whole day to the servers."""
        for faults, kinds in ((api, API), (sink, SINK)):
            for name, shares in kinds.items():
                for kind, share, options in shares:
                    match = self._match(name, kind, share)
                    faults.add(Fault(kind, times=ALWAYS, match=match, options=options))

    def _match(self, name: str, kind: str, share: float) -> Callable[[Mapping[str, Any]], bool]:
        period, chance = self.periods[name], random.Random(self.chance.random())

        def meets(facts: Mapping[str, Any]) -> bool:
            if not period.at(facts["now"]) or chance.random() >= share:
                return False
            if kind == "not_stored":
                rows = [row for row in facts["elements"] if "ActivityId" in row]
                self.dropped.update(row["ActivityId"] for row in rows)
                return bool(rows)
            return True

        return meets
