"""The only place that reads the wall clock or sleeps; everything else is given a `Clock`."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as the bridge sees it: an aware UTC `now` and an awaitable `sleep`."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a simulated clock moves forward instead."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SimulatedClock:
    """Thread-safe simulated time, aware UTC; it moves only when advanced, or while something sleeps."""

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
