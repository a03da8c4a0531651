"""The stored plan, changed by compare-and-swap: operators, timers and ten readers may all do so at once."""

import asyncio
from collections.abc import Callable

from shared.connection import Connection
from shared.errors import CheckpointMoved, StateMissing
from shared.progress import plan as plans
from shared.progress.plan import Plan
from shared.progress.state import Etag

SWAPS = 20


class PlanKeeper:
    """Changes the stored plan by compare-and-swap: operators, timers and ten readers may all do so at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def read(self) -> Plan:
        plan, _ = await self._load()
        return plan

    async def update(self, change: Callable[[Plan], Plan]) -> Plan:
        """Apply `change` to the plan as it is now, again and again until nobody was faster."""
        async with self._turn:
            for _ in range(SWAPS):
                plan, etag = await self._load()
                following = change(plan)
                if following == plan:
                    return plan
                try:
                    await self._connection.store.replace(self._connection.plan_name, plans.dump(following), etag)
                    return following
                except CheckpointMoved:
                    continue
        raise CheckpointMoved("the plan is being changed by others without pause")

    async def _load(self) -> tuple[Plan, Etag]:
        saved = await self._connection.store.read(self._connection.plan_name)
        if saved is None:
            raise StateMissing(
                f"connection {self._connection.name} has no plan for this destination: start it with `cli init`, "
                "or restore the state if it was running before"
            )
        return plans.parse(saved.data), saved.etag
