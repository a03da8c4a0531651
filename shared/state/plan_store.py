"""The stored plan, changed by compare-and-swap: operators, timers and ten readers may all do so at once."""

import asyncio
from collections.abc import Callable

from shared.errors import CheckpointMoved, StateMissing
from shared.state import plan as plans
from shared.state.plan import Plan
from shared.state.store import Etag, Store

SWAPS = 20


class PlanStore:
    """The plan of one stream, stored as the document `name`; `owner` is the connection's name, for messages."""

    def __init__(self, store: Store, name: str, owner: str) -> None:
        self._store = store
        self._name = name
        self._owner = owner
        self._turn = asyncio.Lock()

    async def read(self) -> Plan:
        """Raises StateMissing, StateUnreadable or StoreFailed."""
        plan, _ = await self._load()
        return plan

    async def exists(self) -> bool:
        """Whether there is a plan; raises StoreFailed."""
        return await self._store.read(self._name) is not None

    async def update(self, change: Callable[[Plan], Plan]) -> Plan:
        """Apply `change` to the plan as it is now, again and again until nobody was faster."""
        async with self._turn:
            for _ in range(SWAPS):
                plan, etag = await self._load()
                following = change(plan)
                if following == plan:
                    return plan
                try:
                    await self._store.replace(self._name, plans.dump(following), etag)
                    return following
                except CheckpointMoved:
                    continue
        raise CheckpointMoved("the plan is being changed by others without pause")

    async def create(self, plan: Plan) -> None:
        """Store a first plan; CheckpointMoved when there is one."""
        await self._store.create(self._name, plans.dump(plan))

    async def delete(self) -> None:
        """Remove the plan; no error when there is none."""
        await self._store.delete(self._name)

    async def _load(self) -> tuple[Plan, Etag]:
        saved = await self._store.read(self._name)
        if saved is None:
            raise StateMissing(
                f"connection {self._owner} has no plan for this destination: start it with `claude-bridge init`, "
                "or restore the state if it was running before"
            )
        return plans.parse(saved.data), saved.etag
