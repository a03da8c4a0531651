"""Where reports are kept: written once under names that nobody has used, never replaced, never removed."""

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from shared.azure_errors import ARCHIVE, answered, code_of, translated
from shared.errors import StoreFailed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".jws": "application/jose",
}


class AlreadyThere(Exception):
    """The name is taken; what it holds was not touched."""


class ArchiveStore(Protocol):
    """Files by slash-separated name. Every method raises StoreFailed when the storage refuses or cannot be reached."""

    async def put(self, name: str, data: bytes) -> None:
        """Write a new file. Raises AlreadyThere when the name is taken."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The file, or None when there is none."""
        ...

    async def names(self, folder: str) -> list[str]:
        """Names of the files directly in `folder`, without it, sorted."""
        ...

    def address(self, name: str) -> str:
        """Where a person finds it."""
        ...


def checked(name: str) -> str:
    """`name`, when it is one; ValueError for whatever could lead out of the archive."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a report: {name!r}")
    return name


class FolderArchive:
    """An `ArchiveStore` in a folder; files are readable by their owner only, and lose the right to be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes) -> None:
        path = self._folder / checked(name)
        try:
            await asyncio.to_thread(_write_new, path, data)
        except FileExistsError as taken:
            raise AlreadyThere(name) from taken
        except OSError as broken:
            raise StoreFailed(f"{path.name} cannot be written ({broken.strerror}): choose another folder") from broken

    async def get(self, name: str) -> bytes | None:
        path = self._folder / checked(name)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as broken:
            raise StoreFailed(f"{path.name} cannot be read ({broken.strerror})") from broken

    async def names(self, folder: str) -> list[str]:
        position = self._folder / checked(folder)
        return sorted(path.name for path in position.iterdir()) if position.is_dir() else []

    def address(self, name: str) -> str:
        return str(self._folder / name)


def _write_new(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, written = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.link(written, path)  # whole or not at all, and never over another
    finally:
        Path(written).unlink()
    path.chmod(0o400)  # last: Windows removes no file that is read-only, and both names are one file


class BlobArchive:
    """An `ArchiveStore` in a container, meant for one with an immutability policy. The caller closes the client."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def put(self, name: str, data: bytes) -> None:
        kind = TYPES.get(Path(name).suffix, "application/octet-stream")
        try:
            await self._container.upload_blob(
                checked(name), data, overwrite=False, content_settings=ContentSettings(content_type=kind)
            )
        except ResourceExistsError as taken:
            raise AlreadyThere(name) from taken
        except AzureError as refused:
            raise translated(refused, ARCHIVE) from refused

    async def get(self, name: str) -> bytes | None:
        try:
            found = await self._container.download_blob(checked(name))
            return await found.readall()
        except ResourceNotFoundError as missing:
            if code_of(missing) == "ContainerNotFound":
                raise translated(missing, ARCHIVE) from missing
            return None
        except AzureError as refused:
            raise translated(refused, ARCHIVE) from refused

    async def names(self, folder: str) -> list[str]:
        start = checked(folder) + "/"
        with answered(ARCHIVE):
            found = [name async for name in self._container.list_blob_names(name_starts_with=start)]
        return sorted(name.removeprefix(start) for name in found)

    def address(self, name: str) -> str:
        return f"{self._container.url.partition('?')[0]}/{name}"
