"""Clocks for chaos tests: one faster than real time, the same in every process, and one that is skewed."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from shared.clock import Clock


class ScaledClock:
    """Real time, `speed` times as fast from `start` on; relative durations are unchanged.

    `began` is the machine's monotonic reading at `start`; processes that share it agree on the time.
    """

    def __init__(self, start: datetime, *, speed: float, began: float | None = None) -> None:
        self._start = start.astimezone(UTC)
        self.speed = speed
        self.began = time.monotonic() if began is None else began

    @property
    def start(self) -> datetime:
        return self._start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self.began) * self.speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def jump(self, step: timedelta) -> None:
        """Move forward immediately, in this process only."""
        self._start += step


class SkewedClock:
    """Another clock, off by `skew`, which may be changed at any time, like a machine before time synchronization."""

    def __init__(self, true: Clock) -> None:
        self._true = true
        self.skew = timedelta()

    def now(self) -> datetime:
        return self._true.now() + self.skew

    async def sleep(self, seconds: float) -> None:
        await self._true.sleep(seconds)
