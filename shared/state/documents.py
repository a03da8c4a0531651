"""How stored documents are read back: whole and of a known format, or not at all. Pure."""

from typing import Protocol, TypeVar

import msgspec

from shared.errors import StateUnreadable


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
            f"the {what} cannot be read: restore its previous version, or start anew with `claude-bridge init --force`"
        ) from damaged
    if document.format > known:
        raise StateUnreadable(
            f"the {what} has format {document.format}, this release knows {known}: run the newer release"
        )
    return document
