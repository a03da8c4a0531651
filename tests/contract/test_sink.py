"""The contract of every sink: the real one over the simulated endpoint, and the fake that replaces it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

import pytest

from shared.clock import SimulatedClock
from shared.errors import SinkBusy, SinkRefused, StoreFailed
from shared.models import Hour, Outgoing, prefix_of
from shared.sink.batches import SCHEMA_FAULT_ROWS, SINK_ATTEMPTS, Sent, pack
from tests.contract.served import Endpoint
from tests.fakes import NOON, FakeTable, Power

Remember = Callable[[Sequence[Outgoing]], Awaitable[None]]
TWO_ROWS = 300
"""An upload of this many bytes holds two rows of `rows`."""


def rows(count: int) -> list[Outgoing]:
    made = []
    for number in range(count):
        id = f"a{number:03d}"
        body = b'{"Id":"%s","ActivityId":"%s","Name":"%s"}' % (id.encode(), id.encode(), b"x" * 80)
        made.append(Outgoing(id, prefix_of(id), Hour("2026-11-20T12"), body, {"id": id}))
    return made


def ids(rows: Sequence[Outgoing]) -> list[str]:
    return [row.id for row in rows]


class SinkWorld(Protocol):
    """A sink that packs two rows per upload, and the faults a test can set."""

    clock: SimulatedClock

    @property
    def stored(self) -> list[str]: ...

    def refuse(self, *ids: str) -> None: ...

    def be_busy(self, times: int) -> None: ...

    def forbid(self) -> None: ...

    async def send(self, rows: Sequence[Outgoing], remember: Remember, seconds: int = 600) -> Sent: ...


class FakeSinkWorld:
    def __init__(self) -> None:
        self.clock = SimulatedClock(NOON)
        self.table = FakeTable(Power(), clock=self.clock)

    @property
    def stored(self) -> list[str]:
        return self.table.ids

    def refuse(self, *ids: str) -> None:
        self.table.refuses = lambda row: row.id in ids

    def be_busy(self, times: int) -> None:
        self.table.busy = times

    def forbid(self) -> None:
        self.table.failure = SinkRefused("needs Monitoring Metrics Publisher on the DCR")

    async def send(self, rows: Sequence[Outgoing], remember: Remember, seconds: int = 600) -> Sent:
        return await self.table.send(rows, remember, deadline=self.clock.now() + timedelta(seconds=seconds))


class RealSinkWorld:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self.clock = endpoint, endpoint.clock

    @property
    def stored(self) -> list[str]:
        return self.endpoint.rows

    def refuse(self, *ids: str) -> None:
        self.endpoint.fail("refuse_rows", times=1000, where=lambda element: element["Id"] in ids)

    def be_busy(self, times: int) -> None:
        self.endpoint.fail("server_error", times=times)

    def forbid(self) -> None:
        self.endpoint.credential.token = "stranger"

    async def send(self, rows: Sequence[Outgoing], remember: Remember, seconds: int = 600) -> Sent:
        deadline = self.clock.now() + timedelta(seconds=seconds)
        # One upload at a time, so that the number of busy responses is deterministic.
        async with self.endpoint.sink(limit_bytes=TWO_ROWS, in_flight=1) as sink:
            return await sink.send(rows, remember, deadline=deadline)


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest) -> SinkWorld:
    if request.param == "fake":
        return FakeSinkWorld()
    return RealSinkWorld(request.getfixturevalue("endpoint"))


class Memory:
    """What was recorded, upload by upload; each time it checks that the rows are already stored."""

    def __init__(self, world: SinkWorld) -> None:
        self.world = world
        self.uploads: list[list[str]] = []

    async def __call__(self, rows: Sequence[Outgoing]) -> None:
        assert rows and set(ids(rows)) <= set(self.world.stored)
        self.uploads.append(ids(rows))

    @property
    def ids(self) -> list[str]:
        return sorted(id for upload in self.uploads for id in upload)


async def test_rows_are_stored_and_remembered_upload_by_upload(world: SinkWorld) -> None:
    """Five rows, two per upload: stored once, recorded in three parts, each after its acceptance, and counted."""
    remember, batch = Memory(world), rows(5)
    sent = await world.send(batch, remember)
    assert sorted(world.stored) == remember.ids == ids(batch)
    assert sorted(remember.uploads) == [["a000", "a001"], ["a002", "a003"], ["a004"]]
    assert (sent.rows, sent.batches, sent.retries, sent.refused) == (5, 3, 0, [])
    assert sent.bytes == sum(len(pack(batch[at : at + 2]).body) for at in (0, 2, 4))


async def test_nothing_to_send_is_nothing_sent(world: SinkWorld) -> None:
    """No upload, nothing to record."""
    remember = Memory(world)
    sent = await world.send([], remember)
    assert (sent.rows, sent.batches, sent.bytes, remember.uploads, world.stored) == (0, 0, 0, [], [])


@pytest.mark.parametrize("bad", [["a001"], ["a000", "a001"], ["a004"], ["a000", "a003"]])
async def test_refused_rows_come_back_and_the_others_are_stored(world: SinkWorld, bad: list[str]) -> None:
    """Each with the service's status and message; not stored, not recorded, not counted as sent."""
    world.refuse(*bad)
    remember, batch = Memory(world), rows(5)
    sent = await world.send(batch, remember)
    good = [id for id in ids(batch) if id not in bad]
    assert sorted(world.stored) == remember.ids == good
    assert sorted(row.id for row, _ in sent.refused) == bad
    assert all(reason.startswith("400: ") for _, reason in sent.refused)
    assert sent.rows == len(good) and sent.batches == len(remember.uploads)


async def test_many_refused_rows_are_a_schema_that_does_not_fit(world: SinkWorld) -> None:
    """Too many refused rows: an error with the remedy, and accepted rows are recorded."""
    batch = rows(SCHEMA_FAULT_ROWS + 10)
    world.refuse(*ids(batch[4:]))
    remember = Memory(world)
    with pytest.raises(SinkRefused, match="deploy the tables and the DCR again"):
        await world.send(batch, remember)
    assert sorted(world.stored) == remember.ids == ids(batch[:4])


async def test_a_busy_endpoint_is_tried_again_and_the_tries_are_counted(world: SinkWorld) -> None:
    """Two bad responses cost at least 1 and 2 seconds, and no row."""
    world.be_busy(2)
    remember, start = Memory(world), world.clock.now()
    sent = await world.send(rows(2), remember)
    assert sent.retries == 2 and sent.batches == 1 and remember.ids == ["a000", "a001"]
    assert (world.clock.now() - start).total_seconds() >= 3


async def test_an_endpoint_that_stays_busy_ends_the_run(world: SinkWorld) -> None:
    """Nothing is stored or recorded."""
    world.be_busy(SINK_ATTEMPTS)
    remember = Memory(world)
    with pytest.raises(SinkBusy, match="busy"):
        await world.send(rows(2), remember)
    assert remember.uploads == world.stored == []


async def test_no_wait_passes_the_deadline(world: SinkWorld) -> None:
    """With two seconds left there is no third attempt."""
    world.be_busy(SINK_ATTEMPTS)
    start = world.clock.now()
    with pytest.raises(SinkBusy):
        await world.send(rows(2), Memory(world), seconds=2)
    assert (world.clock.now() - start).total_seconds() < 2


async def test_a_refusal_for_good_is_raised_with_the_remedy(world: SinkWorld) -> None:
    """Not retried; the message names the role."""
    world.forbid()
    remember, start = Memory(world), world.clock.now()
    with pytest.raises(SinkRefused, match="Monitoring Metrics Publisher"):
        await world.send(rows(2), remember)
    assert remember.uploads == world.stored == [] and world.clock.now() == start


async def test_what_cannot_be_remembered_is_not_hidden(world: SinkWorld) -> None:
    """The rows are stored, but the run must stop."""

    async def full(_: Sequence[Outgoing]) -> None:
        raise StoreFailed("free some space")

    with pytest.raises(StoreFailed):
        await world.send(rows(2), full)
    assert world.stored == ["a000", "a001"]
