"""One bridge per process: built once, lent to many, built anew while something is missing."""

import asyncio
import logging
from datetime import timedelta

import pytest

from sandbox.world import World
from shared.clock import SimulatedClock
from shared.errors import ConfigError
from shared.logs import MaskingFilter
from shared.models import Position, Window
from shared.triggers.bridge_cache import TRY_AGAIN, Process
from shared.wiring import Bridge
from tests.fakes import NOON

HOUR = timedelta(hours=1)
SECOND_KEY = "sk-ant-api01-second"
TWO = '[{"name": "first"}, {"name": "second", "key_setting": "SECOND_KEY"}]'


def built(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.getMessage().startswith("bridge.built ") for record in caplog.records)


async def works(bridge: Bridge) -> bool:
    """Whether the bridge can still read a page; closed, its HTTP client says so."""
    reading = await bridge.connections[0].feed.reading()
    try:
        await reading.page(Position(Window(NOON - HOUR, NOON), limit=5000), deadline=NOON + HOUR)
    except RuntimeError as closed:
        assert "closed" in str(closed)
        return False
    return True


async def test_many_at_once_share_one_bridge(
    environment: pytest.MonkeyPatch, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten invocations that start together build it once, and the eleventh gets the same."""
    process = Process(clock)

    async def borrow() -> int:
        async with process.bridge() as bridge:
            await asyncio.sleep(0)
            return id(bridge)

    assert len({*await asyncio.gather(*(borrow() for _ in range(10))), await borrow()}) == 1
    assert built(caplog) == 1
    await process.close()


async def test_while_nothing_can_run_every_invocation_looks_again(
    environment: pytest.MonkeyPatch, world: World, clock: SimulatedClock
) -> None:
    """The reason is raised each time; the key is used from the first invocation after it was set."""
    process = Process(clock)
    environment.delenv("COMPLIANCE_ACCESS_KEY")
    for _ in range(2):
        with pytest.raises(ConfigError, match="COMPLIANCE_ACCESS_KEY"):
            async with process.bridge():
                raise AssertionError("nothing can run")
    environment.setenv("COMPLIANCE_ACCESS_KEY", world.key)
    async with process.bridge() as bridge:
        assert [connection.name for connection in bridge.connections] == ["default"]
    await process.close()


async def test_a_bridge_with_a_broken_connection_is_built_anew_in_time(
    environment: pytest.MonkeyPatch, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Not before five minutes have passed; whoever still works with the old one keeps it to the end."""
    process = Process(clock)
    environment.setenv("CONNECTIONS", TWO)
    async with process.bridge() as first:
        environment.setenv("SECOND_KEY", SECOND_KEY)
        clock.advance(TRY_AGAIN - timedelta(seconds=1))
        async with process.bridge() as again:
            assert again is first
        clock.advance(timedelta(seconds=1))
        async with process.bridge() as second:
            assert [connection.name for connection in second.connections] == ["first", "second"]
            assert second is not first and not second.broken
        assert first.broken
        async with process.bridge() as kept:
            assert kept is second
    clock.advance(10 * TRY_AGAIN)
    async with process.bridge() as last:
        assert last is second
    assert built(caplog) == 2
    await process.close()


async def test_the_old_bridge_is_kept_when_the_settings_have_become_unusable(
    environment: pytest.MonkeyPatch, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that works goes on working; the reason is logged, and looked at again five minutes later."""
    process = Process(clock)
    environment.setenv("CONNECTIONS", TWO)
    async with process.bridge() as first:
        pass
    environment.setenv("CONNECTIONS", "[]")
    clock.advance(TRY_AGAIN)
    for _ in range(2):
        async with process.bridge() as bridge:
            assert bridge is first
    said = [record for record in caplog.records if record.getMessage().startswith("bridge.kept ")]
    assert len(said) == 1 and "CONNECTIONS is an empty list" in said[0].getMessage()
    await process.close()


async def test_a_replaced_bridge_is_closed_once_nobody_uses_it(
    environment: pytest.MonkeyPatch, clock: SimulatedClock
) -> None:
    """Open while an invocation works with it, closed when the last one has returned it."""
    process = Process(clock)
    environment.setenv("CONNECTIONS", TWO)
    entered, leave = asyncio.Event(), asyncio.Event()
    old: list[Bridge] = []

    async def long_work() -> None:
        async with process.bridge() as bridge:
            old.append(bridge)
            entered.set()
            await leave.wait()

    task = asyncio.create_task(long_work())
    await entered.wait()
    environment.setenv("SECOND_KEY", SECOND_KEY)
    clock.advance(TRY_AGAIN)
    async with process.bridge() as new:
        assert new is not old[0] and await works(old[0])
    leave.set()
    await task
    assert not await works(old[0]) and await works(new)
    await process.close()
    assert not await works(new)


async def test_the_hosts_log_handlers_stay_and_are_masked(
    environment: pytest.MonkeyPatch, clock: SimulatedClock, world: World
) -> None:
    """The worker hangs a handler on the root logger: the host goes on hearing of us, masked, and masked once."""
    heard: list[str] = []

    class Host(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    host, root = Host(), logging.getLogger()
    root.addHandler(host)
    try:
        for _ in range(2):
            process = Process(clock)
            async with process.bridge():
                logging.getLogger("some.library").warning("key %s of somebody@example.com", world.key)
            await process.close()
        assert host in root.handlers and sum(isinstance(each, MaskingFilter) for each in host.filters) == 1
    finally:
        root.removeHandler(host)
    assert "key <key> of <address>" in heard and any(line.startswith("bridge.built ") for line in heard)
    assert world.key not in " ".join(heard)
