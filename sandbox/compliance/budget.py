"""The request budget of one parent organization: a limit per minute, shared by all keys and paths (section 3)."""

import math
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The budget's decision on one request, and the values of the rate headers afterward."""

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
    """Thread-safe; counts per whole minute of the clock. The start of the real API's windows is not documented.

    `per_minute` may be changed while running. A refused request costs nothing.
    """

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = self._this_minute()
        self._used = 0

    def spend(self, requests: int = 1) -> Allowance:
        """Take `requests` from this minute; tests simulate the customer's other tools with more than one."""
        with self._lock:
            self._start_minute()
            granted = self._used + requests <= self.per_minute
            if granted:
                self._used += requests
            return self._allowance(granted=granted)

    def peek(self) -> Allowance:
        """The remaining budget, at no cost; `granted` is whether one more request would be accepted."""
        with self._lock:
            self._start_minute()
            return self._allowance(granted=self._used < self.per_minute)

    def _start_minute(self) -> None:
        minute = self._this_minute()
        if minute != self._minute:
            self._minute, self._used = minute, 0

    def _allowance(self, *, granted: bool) -> Allowance:
        reset = self._minute + MINUTE
        wait = max(1, math.ceil((reset - self._clock.now()).total_seconds()))
        return Allowance(granted, self.per_minute, max(0, self.per_minute - self._used), reset, wait)

    def _this_minute(self) -> datetime:
        return self._clock.now().replace(second=0, microsecond=0)
