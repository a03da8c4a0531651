"""A data collection rule as the endpoint sees it: streams, the table behind each, and where rows go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.tables import Table


class RowStore(Protocol):
    """Where accepted rows go; `Workspace.store` is one."""

    def __call__(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, ingested_at: datetime) -> Any: ...


@dataclass(frozen=True, slots=True)
class CollectionRule:
    """`immutable_id` is `dcr-` and 32 hex digits; `streams` maps `Custom-...` to the table it feeds unchanged."""

    immutable_id: str
    streams: Mapping[str, Table]
    store: RowStore
