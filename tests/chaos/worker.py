"""A process that runs the real bridge until it is killed: `python -m tests.chaos.worker`, see `bridge_process.py`.

It imports everything once and forks for every configuration (a line of JSON on standard input), because imports take a
second, and 200 kills should not take 200 of them. The killed process is an ordinary one.
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

TIMEOUT_SECONDS = 300
"""A process ends by itself after this time, for when the test was stopped before it killed the process."""


@dataclass(frozen=True)
class ProcessConfig:
    """Configuration of one bridge process, as JSON.

    `start`, `speed` and `began` are the ScaledClock's; `container` is the URL of a Blob container; without one,
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


async def live(config: ProcessConfig) -> None:
    """Poll and work on the plan concurrently, as the two timers do; without pauses, so that it is never killed idle."""
    clock = config.clock
    async with AsyncExitStack() as stack:
        store = await _blob_store(config.container, stack) if config.container else None
        credential = SandboxCredential(config.token)
        opened = build(load(**config.settings), clock=clock, credential=credential, store=store)
        bridge = await stack.enter_async_context(opened)
        _say(f"working {os.getpid()}")
        async with asyncio.timeout(TIMEOUT_SECONDS), asyncio.TaskGroup() as group:
            for work in (bridge.poll, bridge.work_plan):
                group.create_task(_repeat(work))


async def _repeat(work: Callable[[], Awaitable[Any]]) -> NoReturn:
    while True:
        await work()


async def _blob_store(url: str, stack: AsyncExitStack) -> Store:
    """State in the emulator, with the shortest lease, so that a test can wait for one to expire."""
    account, _ = url.rsplit("/", 1)
    container = await stack.enter_async_context(open_container(url, Azurite(account).credential))
    return BlobStore(container, SystemClock(), lease_duration=SHORTEST)


def _say(line: str) -> None:
    """A single write, so that lines stay whole when parent and child write at the same time."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _run_child(line: str) -> NoReturn:
    code = 1
    try:
        configure("WARNING")
        asyncio.run(live(ProcessConfig(**json.loads(line))))
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
            _run_child(line)
        _, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
