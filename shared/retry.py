"""Retrying: back-off doubles from 1 to 60 seconds, Retry-After is a floor, nothing waits beyond the deadline."""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import tenacity

from shared.clock import Clock
from shared.errors import Busy
from shared.logs import event, logger

log = logger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
JITTER = 0.25
GRACE_SECONDS = 5.0
"""What is under way at the deadline may still end; nothing starts."""
LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""No service asks for more in earnest; a larger number must not overflow a time."""


def retrying(
    clock: Clock,
    on: type[Busy],
    *,
    attempts: int,
    deadline: datetime,
    jitter: random.Random,
    what: str,
    count: Callable[[], None] | None = None,
) -> tenacity.AsyncRetrying:
    """Attempts that end when one succeeds, when `attempts` are used up, or when the next wait would pass `deadline`.

    Only `on` is tried again; the last one is raised as it is. Every retry is logged with `what`, and counted.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        floor = (failure.after if isinstance(failure, Busy) else None) or 0.0
        doubled = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1))
        return float(max(floor, doubled * jitter.uniform(1.0, 1.0 + JITTER)))

    def over(state: tenacity.RetryCallState) -> bool:
        late = clock.now() + timedelta(seconds=state.upcoming_sleep) >= deadline
        return late or state.attempt_number >= attempts

    def retried(state: tenacity.RetryCallState) -> None:
        if count is not None:
            count()
        event(
            log,
            "attempt.retried",
            level=logging.WARNING,
            what=what,
            attempt=state.attempt_number,
            wait_seconds=round(state.upcoming_sleep, 1),
            reason=str(state.outcome.exception()) if state.outcome else "-",
        )

    return tenacity.AsyncRetrying(
        sleep=clock.sleep,
        wait=wait,
        stop=over,
        retry=tenacity.retry_if_exception_type(on),
        before_sleep=retried,
        reraise=True,
    )


@asynccontextmanager
async def bounded(clock: Clock, deadline: datetime, late: Busy) -> AsyncIterator[None]:
    """End what runs inside at `deadline` plus GRACE_SECONDS, as `late`: clients time out per read."""
    left = max(0.0, (deadline - clock.now()).total_seconds())
    try:
        async with asyncio.timeout(left + GRACE_SECONDS) as limit:
            yield
    except TimeoutError as over:
        if not limit.expired():
            raise  # the credential's own, say
        raise late from over


def http_date(text: str | None) -> datetime | None:
    """An HTTP date, aware, in UTC; None when absent or unreadable."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def retry_after_seconds(text: str | None, now: datetime | None) -> float | None:
    """Seconds requested by a Retry-After header, a number or an HTTP date, at most an hour; None when unreadable."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None or now is None:
            return None
        seconds = (moment - now).total_seconds()
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)
