"""The row budget: never more is out than there is, everybody is served, and what is cancelled comes back."""

import asyncio
import random
from contextlib import suppress

import pytest

from shared.runs.paging import RowBudget


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_room_is_given_in_the_order_it_was_asked_for() -> None:
    """A small request does not pass a large one that waits: full pages must get their turn too."""
    row_budget, order = RowBudget(10), list[str]()

    async def acquire(name: str, rows: int) -> None:
        await row_budget.acquire(rows)
        order.append(name)

    await row_budget.acquire(8)
    async with asyncio.TaskGroup() as group:
        group.create_task(acquire("large", 9))
        await settled()
        group.create_task(acquire("small", 1))
        await settled()
        assert order == []
        assert not row_budget.try_acquire(1)
        row_budget.release(8)
    assert order == ["large", "small"]


async def test_more_than_there_is_takes_all_of_it() -> None:
    """A page larger than the whole row_budget is read alone, and the row_budget is whole again afterwards."""
    row_budget = RowBudget(10)
    taken = await row_budget.acquire(5000)
    assert taken == 10
    assert not row_budget.try_acquire(1)
    row_budget.release(taken)
    assert row_budget.try_acquire(10)


async def test_one_that_stops_waiting_is_not_in_the_way() -> None:
    """When a large request that waits is cancelled, the smaller ones behind it get what is free."""
    row_budget = RowBudget(10)
    await row_budget.acquire(8)
    large = asyncio.create_task(row_budget.acquire(9))
    await settled()
    small = asyncio.create_task(row_budget.acquire(2))
    await settled()
    large.cancel()
    await settled()
    assert small.done() and small.result() == 2


async def test_room_given_to_one_that_is_cancelled_comes_back() -> None:
    """Cancellation may arrive after the row_budget was given and before the waiter could run."""
    row_budget = RowBudget(10)
    await row_budget.acquire(10)
    waiting = asyncio.create_task(row_budget.acquire(10))
    await settled()
    row_budget.release(10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert row_budget.try_acquire(10)


@pytest.mark.parametrize("seed", range(20))
async def test_nothing_gets_lost_or_invented_whoever_is_cancelled(seed: int) -> None:
    """Fifty takers of any size, a third of them cancelled anywhere: at no time more is out than there is, and
    in the end all of it is back."""
    chance, row_budget, size = random.Random(seed), RowBudget(20), 20
    out = 0

    async def work(rows: int, turns: int) -> None:
        nonlocal out
        held = await row_budget.acquire(rows)
        out += held
        try:
            assert out <= size
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            out -= held
            row_budget.release(held)

    tasks = [asyncio.create_task(work(chance.randint(0, 25), chance.randint(0, 5))) for _ in range(50)]
    for task in chance.sample(tasks, 17):
        for _ in range(chance.randint(0, 4)):
            await asyncio.sleep(0)
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    assert out == 0
    assert row_budget.try_acquire(size)
