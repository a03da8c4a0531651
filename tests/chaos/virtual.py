"""An event loop with virtual time: it jumps to the next timer whenever nothing is ready to run.

Real sockets and threads work in it, provided that both ends of a socket are in this loop: work in progress is then
always visible, as an event or as a thread that has not returned, and time does not advance meanwhile. A wait of a
second takes a second of virtual time on any machine; computation takes none.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

GRACE_SECONDS = 0.001
"""How long the kernel may take to deliver data from one socket to the other."""


class JumpingSelector(selectors.DefaultSelector):
    """Waits for events only while threads are running; otherwise advances virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = 0
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        while True:
            events = super().select(GRACE_SECONDS)
            if events:
                return events
            if timeout is not None and not self.threads:
                self.now += timeout
                return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`asyncio.Runner(loop_factory=VirtualLoop)`."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Arguments]], T], *args: *Arguments
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: object) -> None:
        self._jumping.threads -= 1


class VirtualClock:
    """The loop's time as a datetime: `start` is when the clock is created."""

    def __init__(self, start: datetime, loop: asyncio.AbstractEventLoop) -> None:
        self._start = start.astimezone(UTC) - timedelta(seconds=loop.time())
        self._loop = loop

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
