"""Sends dead letters again: after a new release, a wider table, or a repaired DCR."""

from collections.abc import Iterable, Mapping, Sequence

from shared.models import UNDATED, DeadLetter, Hour, Outgoing, Page
from shared.runs.connection import Connection
from shared.runs.pipeline import KnownIds
from shared.runs.run import Run, RunKind
from shared.state.ledger import LedgerKind, hour_digest

PORTION = 2000


async def replay(connection: Connection) -> Run:
    """Try every dead letter once more; the run's counts say what went (`sent`) and what is still refused (`dead`)."""
    async with connection.run(RunKind.REPLAY) as run, connection.store.lease(f"lease/{connection.prefix}/replay"):
        deadline = run.started_at + connection.limits.planned
        gone: set[bytes] = set()
        async for day, letters in connection.dead_letters.waiting():
            # The same item may wait under two days (a crash between dead-letter file and ledger): it goes once.
            twice = [letter.prefix for letter in letters if letter.prefix in gone]
            await connection.dead_letters.mark_replayed(day, twice)
            replaying = _Replaying(connection, day, gone)
            pipeline = connection.pipeline(run, deadline=deadline, known=replaying, dead_letters=replaying)
            left = [letter for letter in letters if letter.prefix not in gone]
            for start in range(0, len(left), PORTION):
                await pipeline.handle(_page(left[start : start + PORTION]))
        # These hours were proved with rows missing; record what the workspace must hold of them now.
        for hour in sorted(run.counts.hours.keys() - {UNDATED}):
            run.digests.append(hour_digest(hour, await connection.ledger.hour(hour)))
    return run


def _page(letters: Sequence[DeadLetter]) -> Page:
    escaped = {index: letter.escaped for index, letter in enumerate(letters) if letter.escaped}
    return Page([letter.raw for letter in letters], False, None, "", None, 0, escaped)


class _Replaying:
    """What a replay knows: nothing was delivered but what it sent itself; what is refused again waits where it is."""

    def __init__(self, connection: Connection, day: str, gone: set[bytes]) -> None:
        self._connection = connection
        self._day = day
        self._gone = gone

    async def load(self, hours: Iterable[Hour]) -> Mapping[Hour, KnownIds]:
        return dict.fromkeys(hours, self)

    def knows(self, prefix: bytes) -> bool:
        return prefix in self._gone

    async def remember(self, rows: Sequence[Outgoing], kind: LedgerKind = LedgerKind.SENT) -> None:
        if kind is LedgerKind.DEAD:
            return
        prefixes = [row.prefix for row in rows]
        await self._connection.ledger.remember(rows, kind)
        await self._connection.dead_letters.mark_replayed(self._day, prefixes)
        self._gone.update(prefixes)

    async def put(self, rows: Sequence[tuple[Outgoing, str]], run_id: str) -> None:
        """Refused once more: it is a dead letter already."""

    async def keep_whole(self, prefix: bytes, original: bytes) -> str:
        return await self._connection.dead_letters.keep_whole(prefix, original)
