"""State in a folder: atomic documents, appended ledgers, and locks that die with their process."""

import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import lock_descriptor

from shared.errors import CheckpointMoved, LeaseHeld, StoreFailed
from shared.state.store import Etag, Lease, Saved, checked_name

APPENDS = "append.lock"
"""One lock for all appends: a page appends to many files, and one lock a page costs less than one a file."""
POLL_SECONDS = 0.001
"""filelock asks again and again; an append takes about 0.05 ms, a swap with its fsync a few."""
_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows writes two bytes for each newline

T = TypeVar("T")


class LockedFile:
    """A locked file: the system releases it when the process ends, however it ends."""

    def check(self) -> None:
        return None


class FileStore:
    """A `Store` below one folder, readable by its owner only.

    A document is written beside its place, synced and renamed over it, so that a crash leaves the old one or the new
    one. Compare-and-swap and appends hold a lock file meanwhile: two processes on one machine are safe, two machines on
    one network share are not (use Blob storage for that). A lock is on a descriptor opened for it (flock, on Windows
    LockFileEx), so it keeps tasks of one process apart as well. On Windows the folder's own permissions apply, and a
    document that another process is reading cannot be replaced: that is StoreFailed, and the next run tries again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._appending = threading.Lock()  # tasks of one process wait here, without polling

    async def read(self, name: str) -> Saved | None:
        return await self._run(self._read, name)

    async def create(self, name: str, data: bytes) -> Etag:
        return await self._run(self._swap, name, data, None)

    async def replace(self, name: str, data: bytes, etag: Etag) -> Etag:
        return await self._run(self._swap, name, data, etag)

    async def append(self, name: str, data: bytes) -> None:
        await self._run(self._append_each, [(name, data)])

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        await self._run(self._append_each, blocks)

    async def tail(self, name: str, offset: int) -> bytes:
        return await self._run(self._tail, name, offset)

    async def tails(self, positions: Sequence[tuple[str, int]]) -> list[bytes]:
        return await self._run(lambda: [self._tail(name, offset) for name, offset in positions])

    async def names(self, prefix: str) -> list[str]:
        return await self._run(self._names, prefix)

    async def delete(self, name: str) -> None:
        await self._run(lambda: self._path(name).unlink(missing_ok=True))

    async def rename(self, name: str, new_name: str) -> None:
        await self._run(self._rename, name, new_name)

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[Lease]:
        handle = await self._run(self._open, f"{name}.lock", os.O_RDWR)
        try:
            if not await self._run(lambda: lock_descriptor(handle, blocking=False)):
                raise LeaseHeld(f"another run holds {name}; skipping")
            yield LockedFile()
        finally:
            os.close(handle)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        """File work off the event loop; whatever the system refuses becomes StoreFailed, with the remedy."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except OSError as failed:
            remedy = "free some space" if failed.errno == errno.ENOSPC else "check that the folder exists and is ours"
            raise StoreFailed(f"state in {self._folder} cannot be used ({failed.strerror}): {remedy}") from failed

    def _path(self, name: str) -> Path:
        return self._folder / checked_name(name)

    def _open(self, name: str, flags: int) -> int:
        """A handle of a file that is made where it is missing, and its folder, too."""
        path = self._path(name)
        try:
            return os.open(path, flags | os.O_CREAT | _BINARY, 0o600)
        except FileNotFoundError:
            self._make_folder(path)
            return os.open(path, flags | os.O_CREAT | _BINARY, 0o600)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the lock file `name`, which stays behind: removing it could split two waiters over two files."""
        handle = self._open(name, os.O_RDWR)
        try:
            lock_descriptor(handle, poll_interval=POLL_SECONDS)
            yield
        finally:
            os.close(handle)

    def _make_folder(self, path: Path) -> None:
        missing = [parent for parent in path.parents if not parent.is_dir()]
        for parent in reversed(missing):  # one by one: `parents=True` would leave the upper ones open to others
            parent.mkdir(exist_ok=True, mode=0o700)

    def _read(self, name: str) -> Saved | None:
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        return Saved(data, _etag(data))

    def _swap(self, name: str, data: bytes, expected: Etag | None) -> Etag:
        path = self._path(name)
        with self._locked(f"{name}.swap"):
            present = self._read(name)
            if (present.etag if present else None) != expected:
                raise CheckpointMoved(f"{name} was changed by another run")
            beside = path.with_name(path.name + ".new")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY
            with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        return _etag(data)

    def _append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        with self._appending, self._locked(APPENDS):
            for name, data in blocks:
                self._append(name, data)

    def _append(self, name: str, data: bytes) -> None:
        handle = self._open(name, os.O_WRONLY | os.O_APPEND)
        try:
            end = os.fstat(handle).st_size
            written = 0
            try:
                while written < len(data):
                    written += os.write(handle, data[written:])
            except OSError:
                os.ftruncate(handle, end)  # a torn block would shift every later one
                raise
        finally:
            os.close(handle)

    def _tail(self, name: str, offset: int) -> bytes:
        try:
            with self._path(name).open("rb") as file:
                file.seek(offset)
                return file.read()
        except FileNotFoundError:
            return b""

    def _names(self, prefix: str) -> list[str]:
        base = self._path(prefix.rstrip("/"))
        found = (path for path in base.rglob("*") if path.is_file() and path.suffix not in (".lock", ".swap", ".new"))
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def _rename(self, name: str, new_name: str) -> None:
        target = self._path(new_name)
        self._make_folder(target)
        try:
            self._path(name).replace(target)
        except FileNotFoundError:
            return


def _etag(data: bytes) -> Etag:
    return Etag(hashlib.sha256(data).hexdigest())
