"""What the bridge asks of a workspace, without the SDK that asks it: the ports, the answer, values as KQL literals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.models import Hour


@dataclass(frozen=True, slots=True)
class Answer:
    """Column names, their KQL types where known, rows of plain values (times aware), and whether that is all of it."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    whole: bool = True
    types: tuple[str, ...] = ()


class QueryClient(Protocol):
    """Something that answers KQL."""

    async def ask(self, kql: str) -> Answer:
        """The answer. Raises SinkRefused (rights, workspace, query) or SinkBusy (try later)."""
        ...


class Workspace(QueryClient, Protocol):
    """The workspace behind a connection: an accepted row is not a stored row until a query finds it."""

    async def rows(self, kql: str) -> Sequence[Sequence[Any]]:
        """The rows of a whole answer; SinkBusy when the service answered in part only."""
        ...

    async def hours(self, connection: str, start: datetime, end: datetime) -> dict[Hour, tuple[int, int]]:
        """Per event hour of `[start, end)`: distinct ids, and the sum of the first 40 bits of their SHA-256."""
        ...

    async def ids(self, connection: str, start: datetime, end: datetime) -> set[str]:
        """The distinct ids of a short period."""
        ...

    async def wait_for_run(self, run_id: str, *, until: datetime) -> bool:
        """Whether the run's health row was found before `until`."""
        ...


def quoted(text: str) -> str:
    """A KQL string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def kql_moment(moment: datetime) -> str:
    """ISO 8601 in UTC, microseconds only where there are any; as `datetime(...)` takes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
