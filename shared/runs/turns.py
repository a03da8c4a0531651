"""What a timer does for each connection, and the same done by hand: every connection takes its turn."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.errors import BridgeError, ConfigError
from shared.logs import defect, event, logger
from shared.models import Window
from shared.runs import backfill, last_turns, live, snapshot
from shared.runs import replay as replays
from shared.runs.connection import Connection
from shared.runs.last_turns import PLAN, POLL, PROVE
from shared.runs.prove import CLOSED_FOR, DAY, hour_after, prove
from shared.runs.run import Run

log = logger(__name__)

REPLAY = "replay"
"""A turn that only an operator asks for."""

PROOF_DAYS = 3
PROOF_STARTS = timedelta(minutes=10)
"""A further day is only started within this time of the turn's start."""
PROOF_ENDS_SECONDS = 20 * 60
"""A day that takes longer is given up: at host.json's functionTimeout the host would end the whole process."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One connection's turn: its runs, or the error that ended it outside any run."""

    connection: str
    name: str
    runs: Sequence[Run] = field(default=())
    error: Exception | None = None

    @property
    def failures(self) -> list[str]:
        """What went wrong, one sentence each. A run that waits for a setting or a key is not a failure.

        It would fail once a minute until somebody acts.
        """
        if self.error is not None:
            return [f"connection {self.connection}: {self.name} ended with {type(self.error).__name__}"]
        bad = (run for run in self.runs if not run.state.good and not isinstance(run.error, ConfigError))
        return [f"connection {self.connection}: {run.kind} ended {run.state}" for run in bad]


async def take_turns(connections: Iterable[Connection], name: str) -> list[Turn]:
    """Every connection's turn of `name`, side by side; nothing that happens in one ends another's."""
    return list(await asyncio.gather(*(_take(connection, name) for connection in connections)))


def runs_of(turns: Iterable[Turn]) -> list[Run]:
    """All runs of the turns. Raises the first error that ended a turn."""
    runs: list[Run] = []
    for turn in turns:
        if turn.error is not None:
            raise turn.error
        runs += turn.runs
    return runs


async def _take(connection: Connection, name: str) -> Turn:
    try:
        runs = await TURNS[name](connection)
    except BridgeError as error:
        event(log, "turn.failed", level=logging.ERROR, connection=connection.name, timer=name, error=str(error))
        return Turn(connection.name, name, error=error)
    except Exception as error:
        defect(log, "turn.broke", error, connection=connection.name, timer=name)
        return Turn(connection.name, name, error=error)
    await last_turns.remember(connection, name, runs)
    return Turn(connection.name, name, runs)


async def poll(connection: Connection) -> list[Run]:
    """One live run."""
    return [await live.poll(connection)]


async def work_plan(connection: Connection) -> list[Run]:
    """Repairs, sweeps and history of the feed, and beside them the snapshots that are due."""
    planned, snapshots = await asyncio.gather(backfill.work_plan(connection), snapshot.read_due(connection.snapshots))
    return [*planned, *snapshots]


async def prove_days(connection: Connection, *, ends_seconds: float = PROOF_ENDS_SECONDS) -> list[Run]:
    """Prove day after day until the time is up; at least one. TimeoutError when that one does not end.

    What is missing is sent again. Of the newest day that is a repair, which tomorrow's proof will check; an older day
    has had its repair, so that what it lacks is a gap.
    """
    runs: list[Run] = []
    left = connection.limits.prove_repair_rows
    until = connection.clock.now() + PROOF_STARTS
    async with asyncio.timeout(ends_seconds):
        for day in await days_to_prove(connection):
            run, proof = await prove(connection, day, repair=True, most_rows=left, again=bool(runs))
            left = max(0, left - proof.repaired)
            runs.append(run)
            if run.error is not None or connection.clock.now() >= until:
                break
    return runs


async def days_to_prove(connection: Connection) -> list[Window]:
    """The last three days, UTC, that live reading has passed, newest first; none before its first whole hour.

    What lies before that hour is history: its windows may still wait, and `claude-bridge prove` proves it.
    """
    known = await last_turns.recall(connection, POLL)
    if known is None or known.since is None:
        event(log, "proof.postponed", connection=connection.name, reason="live reading has not had its first turn")
        return []
    passed = min(connection.clock.now() - CLOSED_FOR, (await connection.checkpoint_store.read()).watermark)
    midnight = passed.replace(hour=0, minute=0, second=0, microsecond=0)
    first = hour_after(known.since)
    days = [Window(max(first, midnight - (ago + 1) * DAY), midnight - ago * DAY) for ago in range(PROOF_DAYS)]
    return [day for day in days if day.gte < day.lt]


async def replay(connection: Connection) -> list[Run]:
    """Dead letters, sent again."""
    return [await replays.replay(connection)]


TURNS: Mapping[str, Callable[[Connection], Awaitable[list[Run]]]] = {
    POLL: poll,
    PLAN: work_plan,
    PROVE: prove_days,
    REPLAY: replay,
}
