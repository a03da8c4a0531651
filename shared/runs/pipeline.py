"""From a page to the table: what is new is made a row, sent, remembered; what cannot be delivered is a dead letter."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.logs import event, logger
from shared.models import Counts, Hour, Item, Made, Outgoing, Overflowing, Page, Undeliverable
from shared.sink.batches import Sent
from shared.state.ledger import LedgerKind

log = logger(__name__)


class Sink(Protocol):
    """Where rows go."""

    async def send(
        self, rows: Sequence[Outgoing], remember: Callable[[Sequence[Outgoing]], Awaitable[None]], *, deadline: datetime
    ) -> Sent:
        """Deliver; await `remember` with each acknowledged part; return the refused rows."""
        ...


class DeadLetterStore(Protocol):
    """Where what cannot be delivered is kept."""

    async def put(self, rows: Sequence[tuple[Outgoing, str]], run_id: str) -> None: ...

    async def keep_whole(self, prefix: bytes, original: bytes) -> str: ...


class KnownIds(Protocol):
    """One hour's ids."""

    def knows(self, prefix: bytes) -> bool: ...


class Known(Protocol):
    """Which ids need not be sent, and where those that were are remembered; the ledger, normally."""

    async def load(self, hours: Iterable[Hour]) -> Mapping[Hour, KnownIds]: ...

    async def remember(self, rows: Sequence[Outgoing], kind: LedgerKind = LedgerKind.SENT) -> None: ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything a page needs on its way; one per run. `identify` and `to_row` are the stream's."""

    known: Known
    sink: Sink
    dead_letters: DeadLetterStore
    identify: Callable[[Any, tuple[str, ...]], Item]
    to_row: Callable[[Item], Made]
    counts: Counts
    run_id: str
    deadline: datetime
    watch_hours: bool = False
    loaded: dict[Hour, KnownIds] = field(default_factory=dict)

    async def handle(self, page: Page) -> None:
        """Deliver every item of `page` that the ledger does not know.

        Rows are remembered upload by upload, once the sink has acknowledged them: a crash in between sends them twice,
        and never loses one. Raises what the sink and the store raise.
        """
        counts = self.counts
        counts.pages += 1
        counts.read += len(page.items)
        fresh = await self._unseen(page)
        rows: list[Outgoing] = []
        counted: list[Outgoing] = []
        dead: list[tuple[Outgoing, str]] = []
        to_row = self.to_row
        for item in fresh:
            made = to_row(item)
            if made.__class__ is Overflowing:
                assert isinstance(made, Overflowing)
                made = made.pointed(await self.dead_letters.keep_whole(item.prefix, made.whole))
            if isinstance(made, Outgoing):
                rows.append(made)
            elif isinstance(made, Undeliverable):
                dead.append((item.outgoing(), made.reason))
            else:
                counted.append(item.outgoing())
        sent = await self.sink.send(rows, self._remember, deadline=self.deadline)
        counts.batches += sent.batches
        counts.body_bytes += sent.bytes
        counts.upload_retries += sent.retries
        if counted:
            await self.known.remember(counted, LedgerKind.COUNTED)
            counts.counted += len(counted)
        await self._put_dead(dead + sent.refused)

    async def _unseen(self, page: Page) -> list[Item]:
        identify = self.identify
        items = [identify(raw, ()) for raw in page.items]
        for at, positions in page.escaped.items():
            items[at] = identify(page.items[at], positions)
        if self.watch_hours:
            for item in items:
                self.counts.seen.setdefault(item.hour, set()).add(item.prefix)
        known = await self._hours({item.hour for item in items})
        fresh: list[Item] = []
        here: set[bytes] = set()
        hour: Hour | None = None
        for item in items:
            if item.hour is not hour:  # neighbors mostly share theirs
                hour = item.hour
                knows = known[hour].knows
            if item.prefix in here or knows(item.prefix):
                continue
            here.add(item.prefix)
            fresh.append(item)
        self.counts.repeated += len(items) - len(fresh)
        return fresh

    async def _hours(self, hours: set[Hour]) -> Mapping[Hour, KnownIds]:
        """What is known of these hours. Those of the page before are not asked for again: what this run sends is in
        them, and no other run reads the same window."""
        held = {hour: ids for hour, ids in self.loaded.items() if hour in hours}
        held.update(await self.known.load(hours - held.keys()))
        self.loaded.clear()
        self.loaded.update(held)
        return held

    async def _remember(self, rows: Sequence[Outgoing]) -> None:
        await self.known.remember(rows)
        counts = self.counts
        counts.sent += len(rows)
        counts.hours.update([row.hour for row in rows])
        sizes = counts.bytes_by_category
        for row in rows:
            sizes[row.category] += len(row.body)

    async def _put_dead(self, refused: list[tuple[Outgoing, str]]) -> None:
        """First where the operator sees it, then into the ledger: a crash in between shows it twice."""
        if not refused:
            return
        await self.dead_letters.put(refused, self.run_id)
        await self.known.remember([row for row, _ in refused], LedgerKind.DEAD)
        self.counts.dead += len(refused)
        for _, reason in refused:
            self.counts.dead_reasons[reason.split(":", 1)[0]] += 1
        event(
            log, "row.dead_lettered", count=len(refused), reason=refused[0][1], remedy="claude-bridge replay retries it"
        )
