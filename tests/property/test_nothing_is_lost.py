"""The central property, for the real runs: whatever fails, the table ends up with the whole feed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.runs import backfill, live
from shared.runs.connection import Connection
from shared.state import plan as plans
from shared.state.plan import Plan
from tests.fakes import NOON, Crash, FakeWorld, Happening, Power
from tests.session import examples

MINUTE, HOUR = 60, 3600

happenings = st.lists(
    st.tuples(
        st.integers(-3 * HOUR, 2 * HOUR),
        # Most activities are indexed within the settling time, some minutes or hours late.
        st.one_of(st.integers(0, 59), st.integers(0, 59), st.integers(61, 30 * MINUTE), st.integers(HOUR, 40 * HOUR)),
    ),
    max_size=14,
).map(lambda pairs: [Happening(created, created + delay, n) for n, (created, delay) in enumerate(pairs)])

steps = st.lists(st.sampled_from([1, 1, 1, 2, 5, 20, 45]), max_size=12)


async def surviving(world: FakeWorld, work: Callable[[Connection], Awaitable[Any]]) -> None:
    """Run `work`, in a new process after each crash."""
    while True:
        try:
            await work(world.restart())
            return
        except Crash:
            continue


async def play(world: FakeWorld, minutes: list[int]) -> None:
    await surviving(world, live.init)
    await surviving(world, lambda connection: connection.plan_store.update(with_five_hours))
    for step in minutes:
        world.clock.advance(timedelta(minutes=step))
        await surviving(world, live.poll)
        await surviving(world, backfill.work_plan)
    # No more crashes: every activity becomes visible, and the last sweep (50 hours) runs.
    world.power.crash_at.clear()
    for _ in range(3 + 52 + 2):
        world.clock.advance(timedelta(hours=1))
        await live.poll(world.restart())
        await backfill.work_plan(world.restart())


def with_five_hours(plan: Plan) -> Plan:
    return plans.with_history(plan, NOON - timedelta(hours=5), NOON, limit=5000)


def ids_of(world: FakeWorld) -> set[str]:
    return {happening.id for happening in world.happenings}


@settings(max_examples=examples(60))
@given(
    happened=happenings,
    minutes=steps,
    crashes=st.sets(st.integers(1, 400), max_size=8),
    refused_from=st.one_of(st.none(), st.integers(0, 3 * HOUR)),
    lost=st.sets(st.integers(1, 40), max_size=6),
    skew=st.integers(-300, 300),
)
def test_no_crash_late_row_lost_cursor_or_refused_order_loses_an_activity(
    happened: list[Happening],
    minutes: list[int],
    crashes: set[int],
    refused_from: int | None,
    lost: set[int],
    skew: int,
) -> None:
    """Wherever a run crashes, running again until it ends delivers the whole feed, each activity once when parsed."""
    world = FakeWorld(happened, Power(set(crashes)))
    world.feed.order_refused_from, world.feed.lost_cursors = refused_from, lost
    world.feed.skew = timedelta(seconds=skew)
    asyncio.run(play(world, minutes))
    assert set(world.table.ids) == ids_of(world)
    first_copies = {row["ActivityId"]: row for row in reversed(world.table.rows)}
    assert len(first_copies) == len(happened)


@settings(max_examples=examples(30))
@given(happened=happenings, minutes=steps)
def test_without_a_crash_nothing_is_sent_twice(happened: list[Happening], minutes: list[int]) -> None:
    """The overlap, the sweeps and an unsupported order re-read activities and send none again."""
    world = FakeWorld(happened)
    world.feed.order_refused_from = HOUR
    asyncio.run(play(world, minutes))
    assert sorted(world.table.ids) == sorted(ids_of(world))


@settings(max_examples=examples(30))
@given(happened=happenings, minutes=steps, crashes=st.sets(st.integers(1, 300), min_size=1, max_size=5))
def test_a_crash_costs_at_most_one_open_upload_per_reader(
    happened: list[Happening], minutes: list[int], crashes: set[int]
) -> None:
    """Only an upload that was accepted and not yet recorded can be sent again."""
    world = FakeWorld(happened, Power(set(crashes)))
    asyncio.run(play(world, minutes))
    repeats = len(world.table.ids) - len(set(world.table.ids))
    assert repeats <= len(crashes) * world.table.batch * (world.limits.plan_readers + 1)
