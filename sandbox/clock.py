"""A clock one can wind: simulated days pass in seconds, and everything in the sandbox agrees on the time."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Thread-safe simulated time, aware UTC; it moves only when told to, or when somebody sleeps."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` and return the new time."""
        with self._lock:
            self._now += step
            return self._now

    def advance_to(self, moment: datetime) -> None:
        """Move forward to `moment`; never backwards."""
        with self._lock:
            self._now = max(self._now, moment)

    async def sleep(self, seconds: float) -> None:
        """A sleeper carries the clock with it: sleepers that start together also end together."""
        self.advance_to(self.now() + timedelta(seconds=seconds))
        await asyncio.sleep(0)
