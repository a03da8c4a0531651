"""The files of what was set dead: they only grow, damage costs a line, and a mark is for ever."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import SimulatedClock
from shared.errors import StoreFailed
from shared.models import DeadLetter, Hour, Outgoing, prefix_of
from shared.state.dead_letters import DeadLetters
from tests.fakes import NOON, MemoryStore

DAY = "2026-10-31"
FILE = f"dead-letters/contoso/dcr/{DAY}.jsonl"


class RowBudget:
    """A dead-letters over a store in memory, at NOON."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = SimulatedClock(NOON)
        self.dead = DeadLetters(self.store, "contoso/dcr", self.clock)

    async def waiting(self) -> dict[str, Sequence[DeadLetter]]:
        return {day: items async for day, items in self.dead.waiting()}

    async def ids(self) -> dict[str, list[str]]:
        return {day: [item.id for item in items] for day, items in (await self.waiting()).items()}


def row(id: str, raw: Any = None) -> Outgoing:
    return Outgoing(id, prefix_of(id), Hour("2026-10-31T11"), b"{}", {"id": id} if raw is None else raw)


async def test_a_row_comes_back_as_it_went_in() -> None:
    """Id, hour, reason, run and time, and the raw activity value for value, whatever JSON it is."""
    room = RowBudget()
    raw = {"id": "a", "deep": [{"n": 2**63 - 1, "text": "é\n\u2028", "none": None, "f": 1.5}]}
    await room.dead.put([(row("a", raw), "400: no"), (row("b", [1, "x"]), "not an object")], "run-1")
    first, second = (await room.waiting())[DAY]
    assert first == DeadLetter("a", prefix_of("a"), "2026-10-31T11", "400: no", "run-1", NOON.isoformat(), raw)
    assert second.raw == [1, "x"]


async def test_files_only_grow_and_a_day_has_its_own() -> None:
    """What is there stays byte for byte; the next day begins a new file, and days come oldest first."""
    room = RowBudget()
    await room.dead.put([(row("b"), "x")], "run-1")
    before = room.store.files[FILE]
    room.clock.advance(timedelta(days=1))
    await room.dead.put([(row("a"), "x")], "run-2")
    assert room.store.files[FILE] == before
    assert await room.ids() == {DAY: ["b"], "2026-11-01": ["a"]}
    assert list(await room.ids()) == [DAY, "2026-11-01"]


async def test_what_was_replayed_waits_no_more() -> None:
    """A mark hides a row for ever, a day with nothing left is not named, and no line is removed."""
    room = RowBudget()
    await room.dead.put([(row("a"), "x"), (row("b"), "x")], "run-1")
    lines = room.store.files[FILE]
    await room.dead.mark_replayed(DAY, [row("a").prefix])
    assert await room.ids() == {DAY: ["b"]}
    await room.dead.mark_replayed(DAY, [row("b").prefix])
    assert await room.ids() == {} and room.store.files[FILE] == lines


async def test_a_row_written_twice_waits_once() -> None:
    """A crash between dead-letters and ledger writes it again; replay must not send it twice."""
    room = RowBudget()
    await room.dead.put([(row("a"), "first")], "run-1")
    await room.dead.put([(row("a"), "second")], "run-2")
    (item,) = (await room.waiting())[DAY]
    assert item.id == "a" and item.run_id == "run-2"


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"torn","prefix":"00',
        b"",
        b"null",
        b'"text"',
        b'{"id":"no prefix"}',
        b'{"id":"bad","prefix":"zz","hour":"h","reason":"r","run":"1","at":"t","raw":{}}',
        b"\xff\xfe",
    ],
)
async def test_a_damaged_line_costs_only_itself(line: bytes) -> None:
    """The lines around it are found, and the damaged one stays in the file for whoever looks."""
    room = RowBudget()
    await room.dead.put([(row("a"), "x")], "run-1")
    await room.store.append(FILE, line + b"\n")
    await room.dead.put([(row("b"), "x")], "run-1")
    assert await room.ids() == {DAY: ["a", "b"]} and line in room.store.files[FILE]


async def test_other_connections_and_destinations_are_not_touched() -> None:
    """State is apart by folder, also where one name is the beginning of another."""
    room = RowBudget()
    other = DeadLetters(room.store, "contoso/dcr-2", room.clock)
    await other.put([(row("theirs"), "x")], "run-1")
    await room.dead.put([(row("ours"), "x")], "run-1")
    assert await room.ids() == {DAY: ["ours"]}


async def test_the_whole_of_a_cut_row_is_written_once() -> None:
    """A second try of the same row finds its original there and points to it."""
    room = RowBudget()
    first = await room.dead.keep_whole(prefix_of("a"), b'{"id":"a"}')
    again = await room.dead.keep_whole(prefix_of("a"), b'{"id":"a"}')
    assert first == again == f"overflow/contoso/dcr/{DAY}/{prefix_of('a').hex()}.json"
    assert room.store.files[first] == b'{"id":"a"}'


async def test_a_full_disk_is_not_hidden() -> None:
    """What could not be written down must stop the run: the row would be lost otherwise."""
    room = RowBudget()
    room.store.failure = StoreFailed("free some space")
    with pytest.raises(StoreFailed):
        await room.dead.put([(row("a"), "x")], "run-1")
    with pytest.raises(StoreFailed):
        await room.dead.keep_whole(prefix_of("a"), b"{}")
