"""Which ids are new, with a ledger that others write to as well."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.models import UNDATED, Hour, Outgoing, prefix_of
from shared.state import ledger as ledgers
from shared.state.ledger import Ledger, digest
from tests.fakes import MemoryStore

HOUR = Hour("2026-10-31T12")


def row(name: str, hour: Hour = HOUR) -> Outgoing:
    return Outgoing(name, prefix_of(name), hour, b"{}", None)


async def test_what_was_sent_or_set_aside_is_known_and_nothing_else() -> None:
    """Both kinds count as dealt with; an id of another hour does not."""
    ledger = Ledger(MemoryStore(), "a/d")
    known = await ledger.load([HOUR, UNDATED])
    await ledger.remember([row("one"), row("none", UNDATED)])
    await ledger.remember([row("two")], "dead")
    await ledger.remember([row("three")], "counted")
    assert all(known[HOUR].knows(prefix_of(name)) for name in ("one", "two", "three"))
    assert not known[HOUR].knows(prefix_of("none")) and known[UNDATED].knows(prefix_of("none"))


async def test_a_second_process_sees_what_the_first_wrote() -> None:
    """Loading again takes in what was appended since, and only that."""
    store = MemoryStore()
    first, second = Ledger(store, "a/d"), Ledger(store, "a/d")
    await second.load([HOUR])
    await first.remember([row("one")])
    assert (await second.hour(HOUR)).knows(prefix_of("one"))
    await second.remember([row("two")])
    assert (await first.hour(HOUR)).knows(prefix_of("two"))


async def test_connections_and_destinations_do_not_share_a_ledger() -> None:
    """A second workspace is filled from the start."""
    store = MemoryStore()
    await Ledger(store, "a/d1").remember([row("one")])
    other = Ledger(store, "a/d2")
    assert not (await other.hour(HOUR)).knows(prefix_of("one"))


async def test_an_unreadable_ledger_is_put_aside_and_costs_only_repeats() -> None:
    """A file that is not made of prefixes is kept under unreadable/, and the hour begins anew."""
    store = MemoryStore()
    store.files[f"ledger/a/d/{HOUR}.sent"] = b"12345"
    ledger = Ledger(store, "a/d")
    assert not (await ledger.hour(HOUR)).knows(prefix_of("one"))
    assert store.files[f"unreadable/ledger/a/d/{HOUR}.sent"] == b"12345"
    await ledger.remember([row("one")])
    assert (await ledger.hour(HOUR)).knows(prefix_of("one"))


async def test_hours_are_listed_oldest_first() -> None:
    """Proof and rebuild walk the ledger in order, the undated last."""
    ledger = Ledger(MemoryStore(), "a/d")
    for hour in (Hour("2026-10-31T13"), UNDATED, HOUR):
        await ledger.remember([row("x", hour)])
    assert await ledger.hours() == [HOUR, Hour("2026-10-31T13"), UNDATED]


async def test_memory_stays_bounded() -> None:
    """Loading drops the hours asked for longest ago from memory, not from the ledger."""
    store = MemoryStore()
    ledger = Ledger(store, "a/d")
    hours = [Hour(f"2026-10-{day:02d}T00") for day in range(1, 6)]
    for hour in hours:
        await ledger.load([hour])
        await ledger.remember([row(f"{hour}-{n}", hour) for n in range(100_000)])
    await ledger.load(hours[-1:])
    held = [hour for hour in hours if hour in ledger._hours]
    assert sum(len(ledger._hours[hour]) for hour in held) <= ledgers.IDS_IN_MEMORY
    assert hours[-1] in held and hours[0] not in held
    assert (await ledger.hour(hours[0])).knows(prefix_of(f"{hours[0]}-5"))


@given(st.lists(st.text(max_size=20)))
def test_the_digest_is_what_a_query_computes(names: list[str]) -> None:
    """Count, and the sum of the first ten hex digits of each distinct id's SHA-256, in any order, repeats or not."""
    encodable = [name for name in names if name.isprintable()]
    expected = sum(int(hashlib.sha256(name.encode()).hexdigest()[:10], 16) for name in set(encodable))
    prefixes = [prefix_of(name) for name in [*encodable, *encodable]]
    assert digest(reversed(prefixes)) == (len(set(encodable)), expected)
