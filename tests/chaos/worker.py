"""A process that runs the real bridge until it is killed: `python -m tests.chaos.worker`, driven by `nursery.py`.

It imports everything once and forks for every life it is asked for (a line of JSON on standard input), because imports
cost a second, and 200 deaths should not cost 200 of them. What is killed is a process like any other.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sandbox.world import SandboxCredential
from shared.clock import SystemClock
from shared.logs import configure
from shared.settings import load
from shared.state.blob_lease import SHORTEST
from shared.state.blob_store import BlobStore, open_container
from shared.state.store import Store
from shared.wiring import build
from tests.azurite import Azurite
from tests.chaos.clocks import ScaledClock

LONGEST_LIFE_SECONDS = 300
"""A life that nobody ends, because the test itself was ended, is over by itself."""


@dataclass(frozen=True)
class Life:
    """One life of the bridge, as JSON can say it.

    `start`, `speed` and `began` are the ScaledClock's; `container` is a Blob container's address, without one
    `settings` name a folder.
    """

    start: str
    speed: float
    began: float
    settings: dict[str, Any]
    token: str
    container: str | None = None

    @property
    def clock(self) -> ScaledClock:
        return ScaledClock(datetime.fromisoformat(self.start), speed=self.speed, began=self.began)


async def live(life: Life) -> None:
    """Poll, and work on the plan beside it, as the two timers do; without a rest, so that it never dies idle."""
    clock = life.clock
    async with AsyncExitStack() as stack:
        store = await _blob_store(life.container, stack) if life.container else None
        credential = SandboxCredential(life.token)
        opened = build(load(**life.settings), clock=clock, credential=credential, store=store)
        bridge = await stack.enter_async_context(opened)
        _say(f"working {os.getpid()}")
        async with asyncio.timeout(LONGEST_LIFE_SECONDS), asyncio.TaskGroup() as group:
            for work in (bridge.poll, bridge.work_plan):
                group.create_task(_again_and_again(work))


async def _again_and_again(work: Callable[[], Awaitable[Any]]) -> NoReturn:
    while True:
        await work()


async def _blob_store(url: str, stack: AsyncExitStack) -> Store:
    """State in the emulator. The shortest lease, so that a test can also wait for one to run out."""
    account, _ = url.rsplit("/", 1)
    container = await stack.enter_async_context(open_container(url, Azurite(account).credential))
    return BlobStore(container, SystemClock(), lease_duration=SHORTEST)


def _say(line: str) -> None:
    """One write: whole lines, also when nursery and life speak at the same time."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _be_born(line: str) -> NoReturn:
    code = 1
    try:
        configure("WARNING")
        asyncio.run(live(Life(**json.loads(line))))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    _say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be_born(line)
        _, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
