"""State in a Blob container: documents swapped by ETag, ledgers as append blobs, runs kept apart by leases."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobType
from azure.storage.blob.aio import BlobClient, ContainerClient

from shared.azure_errors import STATE, answered, code_of
from shared.clock import Clock
from shared.errors import CheckpointMoved, StoreFailed
from shared.state.blob_lease import LONGEST, SHORTEST, held
from shared.state.store import Etag, Lease, Saved, checked_name

READ_BYTES = 32 * 1024 * 1024
"""Bytes asked for at once: what the SDK takes in one request."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one blob holds from an offset on; `blocks` is None for a document."""

    blob: BlobClient
    data: bytes
    size_bytes: int
    blocks: int | None
    etag: str


API_VERSION = "2024-11-04"
"""Named, because the SDK's newest is not yet known in every cloud; appends above 4 MiB need 2022-11-02 or later."""
APPEND_BYTES = 100 * 1024 * 1024
"""Largest append. https://learn.microsoft.com/rest/api/storageservices/append-block"""
BLOCKS_PER_BLOB = 50_000
"""Largest number of appends to one blob; the service refuses the next one (409 BlockCountExceedsLimit)."""
RENAME_TRIES = 5

# `~` is not allowed in names, so what is ours alone can never meet a document: `h.sent~1` continues `h.sent`.
_LEASE = "~lease"
_PART = re.compile(r"~[0-9]+")


def open_container(
    url: str, credential: AsyncTokenCredential | AzureNamedKeyCredential, **options: Any
) -> ContainerClient:
    """A client for the container at `url`, which the deployment made; `options` replace single ones of the SDK.

    It tries three times within seconds: the runs come every minute, and the SDK's own pauses (15 s and more) would
    outlast a lease.
    """
    retries = {"retry_total": 2, "initial_backoff": 1, "increment_base": 2, "random_jitter_range": 1}
    limits = {"connection_timeout": 5, "read_timeout": 20, "permit_redirects": False}
    return ContainerClient.from_container_url(
        url, credential, **{"api_version": API_VERSION, **retries, **limits, **options}
    )


class BlobStore:
    """A `Store` in one container. Every append is one block, whole or not at all, up to 100 MiB (beyond, in several).

    An append whose answer was lost is sent again and may stand twice: what is appended (ids, lines with an id) must
    bear that. The 50,001st append goes to a further blob, which readers find by themselves; since only the service
    decides that a blob is full, no writer can add to an earlier one any more, and offsets stay true.

    `clock` must be real time, also where the bridge runs on simulated time: the service's leases end in real time.
    """

    def __init__(
        self,
        container: ContainerClient,
        clock: Clock,
        *,
        lease_duration: timedelta = LONGEST,
        blocks_per_blob: int = BLOCKS_PER_BLOB,
    ) -> None:
        if not SHORTEST <= lease_duration <= LONGEST:
            raise ValueError("a lease lasts 15 to 60 seconds")
        self._container = container
        self._clock = clock
        self._lease_duration = lease_duration
        self._blocks_per_blob = blocks_per_blob

    async def read(self, name: str) -> Saved | None:
        with answered(STATE, self._container.container_name):
            pieces = [piece async for piece in self._pieces(name, 0)]
        return Saved(b"".join(piece.data for piece in pieces), Etag(pieces[0].etag)) if pieces else None

    async def create(self, name: str, data: bytes) -> Etag:
        with answered(STATE, self._container.container_name):
            try:
                answer = await self._blob(name).upload_blob(data, overwrite=False)
            except HttpResponseError as refused:
                if code_of(refused) not in ("BlobAlreadyExists", "ConditionNotMet"):
                    raise
                raise CheckpointMoved(f"{name} was made by another run") from refused
        return Etag(answer["etag"])

    async def replace(self, name: str, data: bytes, etag: Etag) -> Etag:
        with answered(STATE, self._container.container_name):
            try:
                answer = await self._blob(name).upload_blob(
                    data, overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError as moved:
                raise CheckpointMoved(f"{name} was changed by another run") from moved
            except ResourceNotFoundError as missing:
                if code_of(missing) != "BlobNotFound":
                    raise
                raise CheckpointMoved(f"{name} was removed by another run") from missing
        return Etag(answer["etag"])

    async def append(self, name: str, data: bytes) -> None:
        with answered(STATE, self._container.container_name):
            await self._append(name, data)

    async def tail(self, name: str, offset: int) -> bytes:
        with answered(STATE, self._container.container_name):
            return b"".join([piece.data async for piece in self._pieces(name, offset)])

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        await asyncio.gather(*(self.append(name, data) for name, data in blocks))

    async def tails(self, positions: Sequence[tuple[str, int]]) -> list[bytes]:
        return list(await asyncio.gather(*(self.tail(name, offset) for name, offset in positions)))

    async def names(self, prefix: str) -> list[str]:
        below = checked_name(prefix.rstrip("/")) + "/"
        with answered(STATE, self._container.container_name):
            found = [name async for name in self._container.list_blob_names(name_starts_with=below)]
        return sorted(name for name in found if "~" not in name)

    async def delete(self, name: str) -> None:
        with answered(STATE, self._container.container_name):
            # The last part first: a crash in between leaves no later part that a new file would take for its own.
            for blob in [*reversed(await self._further_parts(name)), self._blob(name)]:
                await _remove(blob)

    async def rename(self, name: str, new_name: str) -> None:
        with answered(STATE, self._container.container_name):
            for _ in range(RENAME_TRIES):
                pieces = [piece async for piece in self._pieces(name, 0)]
                if not pieces:
                    return
                await self.delete(new_name)
                data = b"".join(piece.data for piece in pieces)
                if pieces[0].blocks is None:
                    await self._blob(new_name).upload_blob(data, overwrite=True)
                else:
                    await self._append(new_name, data)
                try:
                    for piece in reversed(pieces):
                        await _remove(piece.blob, etag=piece.etag, match_condition=MatchConditions.IfNotModified)
                    return
                except ResourceModifiedError:
                    continue  # somebody wrote meanwhile; what they wrote moves too
        raise StoreFailed(f"{name} could not be put dead: others keep writing to it; the next run tries again")

    def lease(self, name: str) -> AbstractAsyncContextManager[Lease]:
        blob = self._container.get_blob_client(checked_name(name) + _LEASE)
        return held(blob, name, self._clock, self._lease_duration)

    def _blob(self, name: str, part: int = 0) -> BlobClient:
        return self._container.get_blob_client(checked_name(name) + (f"~{part}" if part else ""))

    async def _further_parts(self, name: str) -> list[BlobClient]:
        """The blobs that continue `name`, in order."""
        start = len(checked_name(name))
        found = [each async for each in self._container.list_blob_names(name_starts_with=f"{name}~")]
        numbers = sorted(int(each[start + 1 :]) for each in found if _PART.fullmatch(each, start))
        return [self._blob(name, number) for number in numbers]

    async def _append(self, name: str, data: bytes) -> None:
        for at in range(0, len(data), APPEND_BYTES):
            block, part, made = data[at : at + APPEND_BYTES], 0, False
            while True:
                blob = self._blob(name, part)
                try:
                    await blob.append_block(io.BytesIO(block), length=len(block))
                    break
                except HttpResponseError as refused:
                    if code_of(refused) == "BlockCountExceedsLimit":
                        part, made = part + 1, False
                    elif code_of(refused) == "BlobNotFound" and not made:
                        await _make_appendable(blob)
                        made = True
                    else:
                        raise

    async def _pieces(self, name: str, offset: int) -> AsyncIterator[Piece]:
        """What `name` and the blobs that continue it hold from `offset` on; nothing when it is missing."""
        part = 0
        while (piece := await piece_of(self._blob(name, part), offset)) is not None:
            yield piece
            if piece.blocks is None or piece.blocks < self._blocks_per_blob:
                return
            part, offset = part + 1, max(0, offset - piece.size_bytes)


async def _make_appendable(blob: BlobClient) -> None:
    try:
        await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
    except (ResourceExistsError, ResourceModifiedError):
        return  # another writer was quicker


async def _remove(blob: BlobClient, **condition: Any) -> None:
    try:
        await blob.delete_blob(**condition)
    except ResourceNotFoundError as missing:
        if code_of(missing) != "BlobNotFound":
            raise


async def piece_of(blob: BlobClient, offset: int) -> Piece | None:
    """The blob from `offset` on; None when it is missing."""
    # One byte that is known already is read again: the service refuses a range beyond the end, and this way "nothing
    # new", the usual answer, takes one request and returns the size.
    start = max(0, offset - 1)
    found, unchanged = bytearray(), dict[str, Any]()
    while True:
        try:
            stream = await blob.download_blob(offset=start + len(found), length=READ_BYTES, **unchanged)
            found += await stream.readall()
        except ResourceNotFoundError as missing:
            if code_of(missing) != "BlobNotFound":
                raise
            return None
        except HttpResponseError as refused:
            if code_of(refused) != "InvalidRange":
                raise
            return await _beyond_its_end(blob, offset)
        about = stream.properties
        size_bytes = int(str(about.content_range).rpartition("/")[2])
        if start + len(found) >= size_bytes:
            data = bytes(found[offset - start :])
            return Piece(blob, data, size_bytes, about.append_blob_committed_block_count, about.etag)
        if about.blob_type != BlobType.APPENDBLOB:
            # A document must not be put together from two versions; what was appended never changes.
            unchanged = {"etag": about.etag, "match_condition": MatchConditions.IfNotModified}


async def _beyond_its_end(blob: BlobClient, offset: int) -> Piece | None:
    """The blob is shorter than `offset`, or empty."""
    try:
        about = await blob.get_blob_properties()
    except ResourceNotFoundError as missing:
        if code_of(missing) != "BlobNotFound":
            raise
        return None
    if about.size > offset:
        return await piece_of(blob, offset)  # it grew in between
    return Piece(blob, b"", about.size, about.append_blob_committed_block_count, about.etag)
