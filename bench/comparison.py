"""Shared by both participants of the comparison: counts, scripted crashes, and ticks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bench.comparison_client import ServerClock
from bench.scenarios import END, START, minute

TICK = timedelta(minutes=1)


class Crash(BaseException):
    """A crash of the process: a BaseException, so that no handler for ordinary errors catches it."""


@dataclass(slots=True)
class Work:
    """Counts of a participant's process: accepted rows, failed ticks, the busiest tick, CPU time.

    `due` are the minutes of the remaining crashes.
    """

    sent: int = 0
    failed_ticks: int = 0
    busiest_rows: int = 0
    busiest_rows_per_second: float = 0.0
    cpu_seconds: float = 0.0
    crashes: int = 0
    due: list[int] = field(default_factory=list)

    def tick(self, rows: int, seconds: float) -> None:
        self.sent += rows
        if rows > self.busiest_rows:
            self.busiest_rows, self.busiest_rows_per_second = rows, rows / seconds

    def crash_if_due(self, clock: ServerClock) -> None:
        """Raise Crash if one is scheduled by now; once for each."""
        if self.due and clock.now() >= minute(self.due[0]):
            self.due.pop(0)
            self.crashes += 1
            raise Crash


def ticks(clock: ServerClock) -> Iterator[None]:
    """Yield at every whole minute; a tick that takes longer delays the next, as with a timer."""
    while clock.now() < END:
        passed = (clock.now() - START) // TICK
        clock.advance_to(START + (passed + 1) * TICK)
        yield
