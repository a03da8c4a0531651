"""Reading a blob from an offset on, so that a ledger is taken in by its growth."""

from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobType
from azure.storage.blob.aio import BlobClient

from shared.azure_errors import code_of

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


async def piece_of(blob: BlobClient, offset: int) -> Piece | None:
    """The blob from `offset` on; None when it is missing."""
    # One byte that is known already is read again: the service refuses a range beyond the end, and this way "nothing
    # new", the usual answer, takes one request and tells the size.
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
