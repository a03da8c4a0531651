"""Completeness check: the ids of the feed compared with the workspace and the dead letters."""

from dataclasses import dataclass
from datetime import datetime

from kql import LocalWorkspace
from shared.runs.connection import Connection


@dataclass(frozen=True, slots=True)
class Completeness:
    """Counts for every id of the feed with `created_at` before `until` (None: all of them)."""

    until: datetime | None
    expected: int
    in_workspace: int
    dead_letters: int
    missing: tuple[str, ...]
    copies: int

    @property
    def complete(self) -> bool:
        return not self.missing


async def check_completeness(
    expected: frozenset[str] | set[str],
    connection: Connection,
    workspace: LocalWorkspace,
    *,
    until: datetime | None = None,
) -> Completeness:
    """Compare ids; `copies` counts rows beyond the first of an id, which the parser removes."""
    answer = workspace.query("ClaudeActivity_CL | summarize Copies = count() by ActivityId")
    stored = {str(id): int(copies) for id, copies in answer.rows}
    dead = {item.id async for _, items in connection.dead_letters.waiting() for item in items}
    present = expected & stored.keys()
    return Completeness(
        until=until,
        expected=len(expected),
        in_workspace=len(present),
        dead_letters=len((expected & dead) - present),
        missing=tuple(sorted(expected - present - dead)),
        copies=sum(stored.values()) - len(stored),
    )
