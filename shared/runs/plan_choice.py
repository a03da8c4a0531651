"""Which planned window a reader takes next."""

import asyncio

from shared.clock import Clock
from shared.state import plan as plans
from shared.state.plan import PlannedWindow
from shared.state.plan_store import PlanStore


class Choice:
    """Which window a reader takes next: each once, and never one that overlaps a window being read.

    Two readers of the same hour would both find its ids missing from the ledger, and send them twice.
    """

    def __init__(self, keeper: PlanStore, clock: Clock) -> None:
        self._keeper = keeper
        self._clock = clock
        self._taken: set[int] = set()
        self._active: list[PlannedWindow] = []
        self._changed = asyncio.Condition()
        self._stopped = False

    async def next(self) -> PlannedWindow | None:
        """The next window, waiting for one that is in the way; None when nothing is left to read."""
        async with self._changed:
            while True:
                plan = await self._keeper.read()
                ready = plans.ready(plan, self._clock.now(), len(plan.windows))
                left = [window for window in ready if window.id not in self._taken]
                free = next((w for w in left if not any(_overlap(w, active) for active in self._active)), None)
                if free is not None and not self._stopped:
                    self._taken.add(free.id)
                    self._active.append(free)
                    return free
                if self._stopped or not left or not self._active:
                    return None
                await self._changed.wait()

    def stop(self) -> None:
        """Hand out no more windows: what stopped one would stop them all."""
        self._stopped = True

    async def finished(self, window: PlannedWindow) -> None:
        async with self._changed:
            self._active.remove(window)
            self._changed.notify_all()


def _overlap(one: PlannedWindow, other: PlannedWindow) -> bool:
    return one.open.gte < other.open.lt and other.open.gte < one.open.lt
