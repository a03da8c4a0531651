"""Streams: a source of rows is a folder here with a declaration in `stream.py`, and one JSON file in shared/tables.

Nothing else is edited to add one: the folders are found, wired, scheduled, deployed and listed by what they declare.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.source.endpoint import Endpoint


class StreamKind(StrEnum):
    """How a stream is read. *Push* (a receiver) and *request* (asked for by a person) have no stream yet."""

    WINDOW = "window"
    SNAPSHOT = "snapshot"
    PUSH = "push"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Family:
    """One list of a snapshot: all pages of `endpoint`; `to_row` makes the stream's own columns of an item. Pure."""

    name: str
    endpoint: Endpoint
    to_row: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The declaration of a stream; its name is its folder's. A snapshot is read `every` so often, family by family."""

    name: str
    table: str
    kind: StreamKind
    every: timedelta | None = None
    families: tuple[Family, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind is StreamKind.SNAPSHOT) != (self.every is not None and bool(self.families)):
            raise ValueError(f"stream {self.name}: a snapshot, and only a snapshot, has `every` and `families`")


@cache
def streams() -> tuple[Stream, ...]:
    """Every stream, by name. Raises ValueError for a declaration whose name is not its folder's."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*/stream.py")):
        stream: Stream = import_module(f"{__name__}.{path.parent.name}.stream").STREAM
        if stream.name != path.parent.name:
            raise ValueError(f"the stream in {path.parent.name}/ calls itself {stream.name}")
        found.append(stream)
    return tuple(found)
