"""A JSONL file of raw activities as a feed: each line is any JSON value, served byte for byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.activity import FeedEntry
from shared.errors import ConfigError, SourceBusy
from shared.streams.activity.endpoint import read_page
from shared.streams.activity.rows import identity


@dataclass(frozen=True, slots=True)
class FeedFile:
    """Contents of a file: entries for the simulated feed, the expected ids, and the range of their times."""

    entries: list[FeedEntry]
    ids: frozenset[str]
    first: datetime | None
    last: datetime | None


def load_feed(path: Path, *, now: datetime) -> FeedFile:
    """Read a JSONL file; blank lines are skipped. Activities without a readable time are served as of `now`.

    Raises ConfigError with file, line and reason when a line is not JSON: it cannot be served, and skipping it would
    lose it silently.
    """
    entries: list[FeedEntry] = []
    ids: set[str] = set()
    first: datetime | None = None
    last: datetime | None = None
    for number, line in _lines(path):
        item = _decoded(path, number, line)
        id = identity(item)
        at = _moment(item)
        if at is not None:
            first, last = min(first or at, at), max(last or at, at)
        ids.add(id)
        entries.append(_entry(item, line, at=at or now, id=id))
    return FeedFile(entries, frozenset(ids), first, last)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip().removeprefix(b"\xef\xbb\xbf")
                if text:
                    yield number, text
    except OSError as missing:
        raise ConfigError(f"{path} cannot be read: {missing.strerror}") from missing


def _decoded(path: Path, number: int, line: bytes) -> Any:
    """The line as the bridge will decode it, so that ids also agree for malformed values."""
    try:
        return read_page(b'{"data":[' + line + b'],"has_more":false}').data[0]
    except (SourceBusy, IndexError) as broken:
        raise ConfigError(f"{path}, line {number}: not a JSON value; fix or remove the line") from broken


def _moment(item: Any) -> datetime | None:
    text = item.get("created_at") if isinstance(item, dict) else None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _entry(item: Any, line: bytes, *, at: datetime, id: str) -> FeedEntry:
    fields = item if isinstance(item, dict) else {}
    actor = fields.get("actor")
    user = actor.get("user_id") if isinstance(actor, dict) else None
    texts = [fields.get("type"), user, fields.get("organization_id"), fields.get("organization_uuid")]
    kind, user_id, organization_id, organization_uuid = (t if isinstance(t, str) else None for t in texts)
    return FeedEntry(at, id, at, kind or "", user_id, organization_id, organization_uuid, line)
