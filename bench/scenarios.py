"""The fault script of the comparison: the same weather, minute by minute, for whoever polls the same feed.

A few simulated hours of a seeded tenant. Each scenario has one kind of trouble, the last has them all.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sandbox.faults import Fault, Faults

START = datetime(2026, 10, 5, 13, tzinfo=UTC)
BUSY = timedelta(hours=4)
"""Duration of the tenant's activity and of the faults."""
END = START + BUSY + timedelta(minutes=75)
"""End of the simulation, late enough for the sweep of the last hour."""
INDEXED_WITHIN = timedelta(seconds=50)
BURST_MINUTE = 150
EVER = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FaultPeriod:
    """From minute `begin` to minute `end` each request to `side` gets the fault `kind` with probability `share`."""

    side: Literal["api", "sink"]
    kind: str
    begin: int
    end: int
    share: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`late_share` of the activities are indexed 2 to 40 minutes late; `burst` of them happen within one minute.

    `crashes` are the minutes in which the process dies after its first accepted upload, before it is recorded.
    """

    name: str
    what: str
    fault_periods: tuple[FaultPeriod, ...] = ()
    late_share: float = 0.0
    burst: int = 0
    crashes: tuple[int, ...] = ()

    def thinned(self, scale: float) -> "Scenario":
        """The same with a smaller burst, for a quick check."""
        return replace(self, burst=round(self.burst * scale))


STORM = (
    FaultPeriod("api", "rate_limited", 30, 60, 0.7, {"retry_after": 5}),
    FaultPeriod("sink", "throttled_bare", 80, 95, 0.5),
)
OUTAGE = (FaultPeriod("sink", "unavailable", 100, 112, options={"retry_after": 30}),)
CUTS = (FaultPeriod("api", "cut_body", 10, 25, 0.5, {"how": "length"}), FaultPeriod("api", "cut_body", 148, 156, 0.3))
CRASHES = (45, 70, BURST_MINUTE + 2)
CRASH_BURST = 12_000

SCENARIOS = (
    Scenario("calm", "nothing goes wrong; every activity is indexed within 50 seconds"),
    Scenario("late", "3 % of the activities are indexed 2 to 40 minutes late", late_share=0.03),
    Scenario("storm", "the API answers 70 % with 429 for 30 minutes, the endpoint 50 % for 15 minutes", STORM),
    Scenario("outage", "the endpoint answers 503 (Retry-After: 30) for 12 minutes", OUTAGE),
    Scenario("cut", "half of the pages are cut off for 15 minutes, a third for 8", CUTS),
    Scenario(
        "crash",
        "three crashes between an accepted upload and its record in the state, one amid 12,000 activities",
        burst=CRASH_BURST,
        crashes=CRASHES,
    ),
    Scenario("burst", "30,000 activities in one minute", burst=30_000),
    Scenario("all", "all of the above", (*STORM, *OUTAGE, *CUTS), 0.03, 30_000, CRASHES),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def inject_faults(scenario: Scenario, api: Faults, sink: Faults, *, seed: int = 7) -> None:
    """Script the faults of a scenario by the servers' clock, the same for every client."""
    for number, period in enumerate(scenario.fault_periods):
        chance = random.Random(f"{seed}/{scenario.name}/{number}")
        faults = api if period.side == "api" else sink
        faults.add(Fault(period.kind, times=EVER, match=_within(period, chance), options=period.options))


def _within(period: FaultPeriod, chance: random.Random) -> Callable[[Mapping[str, Any]], bool]:
    def match(facts: Mapping[str, Any]) -> bool:
        return minute(period.begin) <= facts["now"] < minute(period.end) and chance.random() < period.share

    return match
