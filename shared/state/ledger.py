"""Which ids were sent, became dead letters or were only counted, per hour of event time. Appends only."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from weakref import WeakValueDictionary

from shared.logs import event, logger
from shared.models import Hour, Outgoing
from shared.state.store import Store

log = logger(__name__)

PREFIX_BYTES = 8
IDS_IN_MEMORY = 200_000
"""About 100 bytes each."""


class LedgerKind(StrEnum):
    """What became of an id: one file each per hour."""

    SENT = "sent"
    DEAD = "dead"
    COUNTED = "counted"


@dataclass(slots=True)
class IdFile:
    """One file's prefixes, and how many of its bytes have been taken in."""

    prefixes: set[bytes] = field(default_factory=set)
    offset: int = 0


@dataclass(slots=True, weakref_slot=True)
class HourOfIds:
    """What was delivered and what became a dead letter in one hour, as far as it has been read."""

    sent: IdFile = field(default_factory=IdFile)
    dead: IdFile = field(default_factory=IdFile)
    counted: IdFile = field(default_factory=IdFile)

    def __len__(self) -> int:
        return len(self.sent.prefixes) + len(self.dead.prefixes) + len(self.counted.prefixes)

    def knows(self, prefix: bytes) -> bool:
        """Whether this id was delivered, became a dead letter or was counted before."""
        return prefix in self.sent.prefixes or prefix in self.dead.prefixes or prefix in self.counted.prefixes

    @property
    def all(self) -> set[bytes]:
        return self.sent.prefixes | self.dead.prefixes | self.counted.prefixes

    def file(self, kind: LedgerKind) -> IdFile:
        """The file of one kind: `sent`, `dead` or `counted`."""
        return {"sent": self.sent, "dead": self.dead, "counted": self.counted}[kind]


class Ledger:
    """The one question every run asks: which of these ids are new?

    Files `ledger/{prefix}/{hour}.sent`, `.dead` and `.counted` hold 8-byte prefixes of
    SHA-256(id) and nothing else. Ids are only compared within one hour: with 100,000 activities in it the chance that
    any two share a prefix is below one in a billion.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._folder = f"ledger/{prefix}"
        self._hours: OrderedDict[Hour, HourOfIds] = OrderedDict()  # what memory keeps, in order of use
        self._in_use: WeakValueDictionary[Hour, HourOfIds] = WeakValueDictionary()  # and what any run still holds

    async def load(self, hours: Iterable[Hour]) -> dict[Hour, HourOfIds]:
        """What these hours hold by now, other processes' additions included.

        The caller holds on to the answer: another run may meanwhile drop the hours from memory.
        """
        loaded: dict[Hour, HourOfIds] = {}
        files: list[tuple[IdFile, str, int]] = []
        for hour in set(hours):
            known = self._in_use.get(hour)
            if known is None:
                known = HourOfIds()
            loaded[hour] = self._in_use[hour] = self._hours[hour] = known
            self._hours.move_to_end(hour)
            for kind in LedgerKind:
                file = known.file(kind)
                files.append((file, self._name(hour, kind), file.offset))
        if files:
            tails = await self._store.tails([(name, start) for _, name, start in files])
            for (file, name, start), data in zip(files, tails, strict=True):
                await self._take_in(file, name, start, data)
        self.forget_most()
        return loaded

    async def remember(self, rows: Sequence[Outgoing], kind: LedgerKind = LedgerKind.SENT) -> None:
        """Write down rows that were accepted (`sent`), put where an operator sees them (`dead`), or only `counted`."""
        by_hour: dict[Hour, list[bytes]] = {}
        for row in rows:
            by_hour.setdefault(row.hour, []).append(row.prefix)
        blocks = [(self._name(hour, kind), b"".join(prefixes)) for hour, prefixes in by_hour.items()]
        await self._store.append_each(blocks)
        for hour, prefixes in by_hour.items():
            known = self._in_use.get(hour)
            if known is not None:
                # Offsets stay behind on purpose: others may have appended too, the next load reads the whole tail.
                known.file(kind).prefixes.update(prefixes)

    async def hour(self, hour: Hour) -> HourOfIds:
        """Everything remembered of one hour."""
        return (await self.load([hour]))[hour]

    async def hours(self) -> list[Hour]:
        """Every hour with at least one id, oldest first, `undated` last."""
        names = await self._store.names(self._folder)
        stems = {name.rsplit("/", 1)[1].rsplit(".", 1)[0] for name in names if name.endswith(tuple(LedgerKind))}
        return [Hour(stem) for stem in sorted(stems)]

    def forget_most(self) -> None:
        """Keep memory bounded: drop the hours asked for longest ago until at most 200,000 ids are held."""
        held = sum(len(known) for known in self._hours.values())
        while held > IDS_IN_MEMORY and len(self._hours) > 1:
            _, dropped = self._hours.popitem(last=False)
            held -= len(dropped)

    async def _take_in(self, file: IdFile, name: str, start: int, data: bytes) -> None:
        if len(data) % PREFIX_BYTES:
            # A damaged ledger costs repeats, which the parser removes; stopping would cost everybody's freshness.
            await self._store.rename(name, f"unreadable/{name}")
            event(log, "ledger.quarantined", level=logging.WARNING, file=name, remedy="claude-bridge rebuild")
            file.prefixes.clear()
            file.offset = 0
            return
        file.prefixes.update(data[at : at + PREFIX_BYTES] for at in range(0, len(data), PREFIX_BYTES))
        file.offset = max(file.offset, start + len(data))  # another run may have read the same bytes meanwhile

    def _name(self, hour: Hour, kind: LedgerKind) -> str:
        return f"{self._folder}/{hour}.{kind}"


def digest(prefixes: Iterable[bytes]) -> tuple[int, int]:
    """Count, and the sum of the first 40 bits of SHA-256 of each distinct id: the same numbers KQL can compute."""
    distinct = set(prefixes)
    return len(distinct), sum(int.from_bytes(prefix[:5], "big") for prefix in distinct)


def hour_digest(hour: Hour, known: HourOfIds, seen: set[bytes] | None = None) -> dict[str, str | int]:
    """What the workspace must hold of one hour, as a health row shows it; `seen` is what the feed showed.

    A dead letter replayed later counts as delivered.
    """
    count, total = digest(known.sent.prefixes)
    dead = len(known.dead.prefixes - known.sent.prefixes)
    row: dict[str, str | int] = {"hour": f"{hour}:00:00Z", "ids": count, "sum": total, "dead": dead}
    if known.counted.prefixes:
        row["counted"] = len(known.counted.prefixes)
    if seen is not None:
        row["feed"] = len(seen)
    return row
