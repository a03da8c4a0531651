"""What both contestants of the comparison keep count of, when they die, and how their minutes pass."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bench.arena import WoundClock
from bench.weather import END, START, minute

TICK = timedelta(minutes=1)


class Crash(BaseException):
    """The process is gone: no handler for ordinary errors may survive it."""


@dataclass(slots=True)
class Work:
    """What the contestant's process did: rows that were accepted, ticks that failed, its busiest tick, its time.

    `due` are the minutes of the crashes that are still to come.
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

    def dies(self, clock: WoundClock) -> None:
        """Raise Crash when the script has one for this time, once each."""
        if self.due and clock.now() >= minute(self.due[0]):
            self.due.pop(0)
            self.crashes += 1
            raise Crash


def ticks(clock: WoundClock) -> Iterator[None]:
    """The next whole minute, again and again; a tick that took longer delays the next, as a timer's would."""
    while clock.now() < END:
        passed = (clock.now() - START) // TICK
        clock.advance_to(START + (passed + 1) * TICK)
        yield
