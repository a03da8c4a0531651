"""How the bridge waits: doubling from 1 to 60 seconds, Retry-After as a floor, never beyond the run's deadline."""

import random
from datetime import datetime, timedelta

import tenacity

from shared.clock import Clock
from shared.errors import Busy

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
JITTER = 0.25


def patience(
    clock: Clock, busy: type[Busy], *, attempts: int, deadline: datetime, jitter: random.Random
) -> tenacity.AsyncRetrying:
    """Tries that end when one succeeds, when `attempts` are used up, or when the next wait would pass `deadline`.

    Only `busy` is tried again; the last one is raised as it is.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        floor = (failure.after if isinstance(failure, Busy) else None) or 0.0
        doubled = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1))
        return float(max(floor, doubled * jitter.uniform(1.0, 1.0 + JITTER)))

    def over(state: tenacity.RetryCallState) -> bool:
        late = clock.now() + timedelta(seconds=state.upcoming_sleep) >= deadline
        return late or state.attempt_number >= attempts

    return tenacity.AsyncRetrying(
        sleep=clock.sleep,
        wait=wait,
        stop=over,
        retry=tenacity.retry_if_exception_type(busy),
        reraise=True,
    )
