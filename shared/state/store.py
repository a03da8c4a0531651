"""Where progress is kept: the port that files and Blob storage both implement."""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NewType, Protocol, TypeVar

import msgspec

from shared.errors import StateUnreadable

Etag = NewType("Etag", str)
_NAME = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


def checked_name(name: str) -> str:
    """`name`, when it is one; ValueError for whatever could leave the place of state."""
    if not _NAME.fullmatch(name) or {".", ".."} & set(name.split("/")):
        raise ValueError(f"not a name for state: {name!r}")
    return name


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored document and the tag that a compare-and-swap must name."""

    data: bytes
    etag: Etag


class Lease(Protocol):
    """The right to work on one thing, held while the context is open."""

    def check(self) -> None:
        """Raise LeaseLost when somebody else may be at work by now."""
        ...


class Store(Protocol):
    """Named documents and append-only files; names are slash-separated, each part of `[A-Za-z0-9._-]`.

    Every method raises StoreFailed when storage cannot be reached or is full.
    """

    async def read(self, name: str) -> Saved | None:
        """The document, or None when there is none."""
        ...

    async def create(self, name: str, data: bytes) -> Etag:
        """Write a new document; CheckpointMoved when it exists already."""
        ...

    async def replace(self, name: str, data: bytes, etag: Etag) -> Etag:
        """Swap the document whose tag is `etag`; CheckpointMoved when it has changed or gone."""
        ...

    async def append(self, name: str, data: bytes) -> None:
        """Add bytes at the end, whole or not at all; the file is made when missing."""
        ...

    async def append_each(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        """`append` to several files at once: a page touches many hours, and each hop costs."""
        ...

    async def tail(self, name: str, offset: int) -> bytes:
        """Bytes from `offset` on; empty when the file is missing or ends there."""
        ...

    async def tails(self, positions: Sequence[tuple[str, int]]) -> list[bytes]:
        """`tail` of several files at once, in the order asked for."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Names below `prefix`, sorted."""
        ...

    async def delete(self, name: str) -> None:
        """Remove; no error when there is nothing."""
        ...

    async def rename(self, name: str, new_name: str) -> None:
        """Move a file out of the way, replacing `new_name`; no error when there is nothing."""
        ...

    def lease(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Hold the lease `name`; entering raises LeaseHeld when another run has it."""
        ...


class Versioned(Protocol):
    """A document that says which format it is in."""

    @property
    def format(self) -> int: ...


Document = TypeVar("Document", bound=Versioned)


def parsed(decoder: msgspec.json.Decoder[Document], data: bytes, *, what: str, known: int) -> Document:
    """The document; StateUnreadable, naming `what`, when it is damaged or from a release later than `known`."""
    try:
        document = decoder.decode(data)
    except msgspec.DecodeError as damaged:
        raise StateUnreadable(
            f"the {what} cannot be read: restore its previous version, or start over with `claude-bridge init --force`"
        ) from damaged
    if document.format > known:
        raise StateUnreadable(
            f"the {what} has format {document.format}, this release knows {known}: run the newer release"
        )
    return document
