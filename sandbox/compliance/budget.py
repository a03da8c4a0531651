"""The request budget of one parent organization: so many a minute, shared by every key and path (section 3)."""

import math
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request met: whether it was let in, and what the rate headers say afterwards."""

    granted: bool
    limit: int
    remaining: int
    reset: datetime
    retry_after: int

    def headers(self) -> dict[str, str]:
        return {
            "anthropic-ratelimit-requests-limit": str(self.limit),
            "anthropic-ratelimit-requests-remaining": str(self.remaining),
            "anthropic-ratelimit-requests-reset": self.reset.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Budget:
    """Thread-safe; counts whole minutes of the clock. Where the real windows start is not documented.

    `per_minute` may be changed while running. A refused request costs nothing.
    """

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = self._this_minute()
        self._used = 0

    def spend(self, requests: int = 1) -> Allowance:
        """Take `requests` from this minute; tests play the customer's other tools with more than one."""
        with self._lock:
            self._turn()
            granted = self._used + requests <= self.per_minute
            if granted:
                self._used += requests
            return self._allowance(granted=granted)

    def look(self) -> Allowance:
        """What is left, at no cost; `granted` says whether one more request would be let in."""
        with self._lock:
            self._turn()
            return self._allowance(granted=self._used < self.per_minute)

    def _turn(self) -> None:
        minute = self._this_minute()
        if minute != self._minute:
            self._minute, self._used = minute, 0

    def _allowance(self, *, granted: bool) -> Allowance:
        reset = self._minute + MINUTE
        wait = max(1, math.ceil((reset - self._clock.now()).total_seconds()))
        return Allowance(granted, self.per_minute, max(0, self.per_minute - self._used), reset, wait)

    def _this_minute(self) -> datetime:
        return self._clock.now().replace(second=0, microsecond=0)
