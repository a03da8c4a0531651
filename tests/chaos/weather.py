"""A day's bad weather, drawn from a seed: when each kind of trouble begins and ends, and how the servers play it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.faults import Fault, Faults

FOR_EVER = 10**9
MINUTE = timedelta(minutes=1)
FIRST, LAST = 30, 22 * 60
"""Minutes of the day in which trouble may begin: it is over well before the day is."""

Share = tuple[str, float, dict[str, Any]]
"""A kind of fault, the share of requests that meet it, and its options."""

API: Mapping[str, tuple[Share, ...]] = {
    "rate limits": (("rate_limited", 0.4, {"retry_after": 20}), ("rate_limited_bare", 0.1, {})),
    "server errors": (("server_error", 0.3, {}), ("overloaded", 0.2, {}), ("bad_gateway", 0.1, {})),
    "cut bodies": tuple(("cut_body", 0.12, {"how": how}) for how in ("short", "length", "chunked")),
    "false ends": (("false_end", 0.5, {}),),
    "cursors expire": (("cursor_expired", 0.5, {}),),
    "contradictions": (("no_has_more", 0.1, {}), ("stuck_cursor", 0.1, {}), ("repeated_page", 0.1, {})),
}
SINK: Mapping[str, tuple[Share, ...]] = {
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
"""Troubles that no server plays: the test does."""


@dataclass(frozen=True)
class Spell:
    """One trouble's time: `[start, end)`."""

    start: datetime
    end: datetime

    def at(self, now: datetime) -> bool:
        return self.start <= now < self.end


@dataclass
class Weather:
    """Every trouble once, each at its own random time: they overlap as they fall. `dropped` are the activities that a
    yes was said to and that were not stored."""

    start: datetime
    chance: random.Random
    spells: dict[str, Spell] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for trouble in (*API, *SINK, *ACTIONS):
            begins = self.start + self.chance.randint(FIRST, LAST) * MINUTE
            lasts = 60 if trouble == "no sink" else self.chance.randint(15, 60)
            self.spells[trouble] = Spell(begins, begins + lasts * MINUTE)

    def at(self, trouble: str, now: datetime) -> bool:
        return self.spells[trouble].at(now)

    def begins(self, trouble: str, now: datetime) -> bool:
        """Whether it begins in the minute that ends `now`."""
        return now - MINUTE < self.spells[trouble].start <= now

    def bring(self, api: Faults, sink: Faults) -> None:
        """Tell the servers, once for the whole day."""
        for faults, troubles in ((api, API), (sink, SINK)):
            for trouble, shares in troubles.items():
                for kind, share, options in shares:
                    match = self._match(trouble, kind, share)
                    faults.add(Fault(kind, times=FOR_EVER, match=match, options=options))

    def _match(self, trouble: str, kind: str, share: float) -> Callable[[Mapping[str, Any]], bool]:
        spell, chance = self.spells[trouble], random.Random(self.chance.random())

        def meets(facts: Mapping[str, Any]) -> bool:
            if not spell.at(facts["now"]) or chance.random() >= share:
                return False
            if kind == "not_stored":
                rows = [row for row in facts["elements"] if "ActivityId" in row]
                self.dropped.update(row["ActivityId"] for row in rows)
                return bool(rows)
            return True

        return meets
