"""What every Store must do: the same checks for the folder, for memory and for Blob storage."""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.errors import CheckpointMoved, LeaseHeld, StoreFailed
from shared.state.blob_store import BlobStore
from shared.state.file_store import FileStore
from shared.state.store import Etag, Store
from tests.fakes import MemoryStore


@pytest.fixture(params=["folder", "memory", "blob"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "folder":
        yield FileStore(tmp_path / "state")
    elif request.param == "memory":
        yield MemoryStore()
    else:
        async with request.getfixturevalue("azurite").container() as container:
            yield BlobStore(container, SystemClock())


async def test_a_document_is_created_once(store: Store) -> None:
    """Creating what exists is refused and changes nothing."""
    await store.create("checkpoint/a.json", b"one")
    with pytest.raises(CheckpointMoved):
        await store.create("checkpoint/a.json", b"two")
    saved = await store.read("checkpoint/a.json")
    assert saved is not None and saved.data == b"one"


async def test_a_swap_needs_the_latest_tag(store: Store) -> None:
    """A writer that read an older version is refused."""
    first = await store.create("a.json", b"one")
    await store.replace("a.json", b"two", first)
    with pytest.raises(CheckpointMoved):
        await store.replace("a.json", b"three", first)
    with pytest.raises(CheckpointMoved):
        await store.replace("missing.json", b"x", Etag("any"))
    saved = await store.read("a.json")
    assert saved is not None and saved.data == b"two"


async def test_of_many_writers_each_swap_counts(store: Store) -> None:
    """Eight writers that retry add up exactly: no update is lost."""
    await store.create("n", b"0")

    async def add() -> None:
        for _ in range(5):
            while True:
                saved = await store.read("n")
                assert saved is not None
                try:
                    await store.replace("n", str(int(saved.data) + 1).encode(), saved.etag)
                    break
                except CheckpointMoved:
                    continue

    await asyncio.gather(*(add() for _ in range(8)))
    saved = await store.read("n")
    assert saved is not None and saved.data == b"40"


async def test_appends_of_many_writers_all_arrive_whole(store: Store) -> None:
    """Blocks appended concurrently are stored one after the other, each whole."""
    await asyncio.gather(*(store.append("ledger/h.sent", bytes([n]) * 8) for n in range(50)))
    data = await store.tail("ledger/h.sent", 0)
    blocks = {data[at : at + 8] for at in range(0, len(data), 8)}
    assert blocks == {bytes([n]) * 8 for n in range(50)}
    assert await store.tail("ledger/h.sent", 392) == data[392:]
    assert await store.tail("ledger/none.sent", 0) == b""


async def test_names_lists_what_is_below_a_folder(store: Store) -> None:
    """Only documents and appended files are listed, sorted, with their whole names."""
    await store.create("a/2.json", b"")
    await store.append("a/b/1.sent", b"12345678")
    await store.create("c.json", b"")
    async with store.lease("a/lease"):
        assert await store.names("a") == ["a/2.json", "a/b/1.sent"]
    assert await store.names("nothing") == []


async def test_rename_and_delete_are_quiet_about_what_is_missing(store: Store) -> None:
    """Quarantining or removing a missing name is not an error."""
    await store.append("a", b"x")
    await store.rename("a", "unreadable/a")
    await store.rename("a", "unreadable/a")
    assert await store.tail("unreadable/a", 0) == b"x"
    await store.delete("unreadable/a")
    await store.delete("unreadable/a")
    assert await store.read("unreadable/a") is None


async def test_a_lease_is_held_by_one_and_free_again_afterwards(store: Store) -> None:
    """The second run yields to the first, and may start when it has ended."""
    async with store.lease("lease/live") as lease:
        lease.check()
        with pytest.raises(LeaseHeld):
            async with store.lease("lease/live"):
                pass
    async with store.lease("lease/live"):
        pass


async def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    """State may contain raw activities (dead letters): only the owner may read it."""
    store = FileStore(tmp_path / "state")
    await store.create("a/b.json", b"x")
    await store.append("d/e/c.sent", b"12345678")
    for path in [tmp_path / "state", *(tmp_path / "state").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", "a/../b", "", "a b", "a\x00b"])
async def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """A name is slash-separated words; anything else is refused before any disk access."""
    with pytest.raises(ValueError, match="not a name"):
        await FileStore(tmp_path).read(name)


async def test_a_full_disk_stops_the_run_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC becomes StoreFailed, the partial block is removed, and the file is intact afterward."""
    store = FileStore(tmp_path)
    await store.append("h.sent", b"A" * 8)
    real_write = os.write
    calls = iter([4])

    def full(handle: int, data: bytes) -> int:
        room = next(calls, None)
        if room is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(handle, data[:room])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFailed, match="free some space"):
        await store.append("h.sent", b"B" * 8)
    monkeypatch.undo()
    assert await store.tail("h.sent", 0) == b"A" * 8


async def test_a_folder_that_cannot_be_made_stops_the_run(tmp_path: Path) -> None:
    """State below a file is refused as StoreFailed, not as a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreFailed, match="check that the folder"):
        await FileStore(tmp_path / "file").create("a.json", b"x")
