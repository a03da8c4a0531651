"""The one bridge of a worker process: built at first use, kept open, and rebuilt while something is missing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.clock import Clock, SystemClock
from shared.errors import ConfigError
from shared.logs import ROOT, MaskingFilter, event, logger

if TYPE_CHECKING:
    from shared.wiring import Bridge

log = logger(__name__)

TRY_AGAIN = timedelta(minutes=5)
NOISY = ("azure", "httpx", "httpcore", "msal", "aiohttp", "asyncio")


@dataclass(slots=True)
class _Open:
    """A bridge that is open, and how many invocations are at work with it."""

    bridge: "Bridge"
    context: AbstractAsyncContextManager["Bridge"]
    built_at: datetime
    users: int = 0


class Process:
    """Lends the bridge to invocations, many at a time.

    The bridge is kept because it is worth keeping: open connections, tokens, and the ledger hours in memory. While the
    settings describe nothing that can run, every invocation looks again. While only some connections cannot run, the
    bridge is rebuilt every five minutes; whoever still works with the old one finishes first.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._turn = asyncio.Lock()
        self._open: _Open | None = None

    @asynccontextmanager
    async def bridge(self) -> "AsyncIterator[Bridge]":
        """The bridge, for one invocation. Raises ConfigError while nothing can run: the bridge waits, say for a key."""
        async with self._turn:
            opened = await self._current()
            opened.users += 1
        try:
            yield opened.bridge
        finally:
            opened.users -= 1
            if opened is not self._open:
                await _close_unused(opened)

    async def close(self) -> None:
        """Close what is open. The host gives no chance to call it: tests do, which share a process."""
        opened, self._open, self._turn = self._open, None, asyncio.Lock()
        if opened is not None:
            await _close_unused(opened)

    async def _current(self) -> _Open:
        before = self._open
        if before is not None and not (before.bridge.broken and self.clock.now() - before.built_at >= TRY_AGAIN):
            return before
        try:
            self._open = await self._build()
        except ConfigError as wrong:
            if before is None:
                raise
            event(log, "bridge.kept", level=logging.WARNING, reason=str(wrong))
            before.built_at = self.clock.now()
            return before
        if before is not None:
            await _close_unused(before)
        return self._open

    async def _build(self) -> _Open:
        # Not while the host lists the functions: settings and SDKs take longer to load than all else together.
        from shared.settings import load
        from shared.wiring import build

        settings = load()
        listen(settings.log_level)
        context = build(settings, clock=self.clock)
        bridge = await context.__aenter__()
        event(log, "bridge.built", connections=len(bridge.connections), broken=len(bridge.broken))
        return _Open(bridge, context, self.clock.now())


async def _close_unused(opened: _Open) -> None:
    if opened.users == 0:
        await opened.context.__aexit__(None, None, None)


def listen(level: str) -> None:
    """Set the bridge's log level, and mask whatever the host's own handlers pass on.

    The handlers stay: the worker hangs its own on the root logger, and without them the host would see no line of ours.
    """
    logging.getLogger(ROOT).setLevel(level)
    for handler in logging.getLogger().handlers:
        if not any(isinstance(known, MaskingFilter) for known in handler.filters):
            handler.addFilter(MaskingFilter())
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


here = Process()
"""This worker process."""
