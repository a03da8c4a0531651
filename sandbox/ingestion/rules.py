"""A data collection rule: its streams, the table of each, and the store for its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.tables import Table


class RowStore(Protocol):
    """Stores accepted rows; `LocalWorkspace.store` is one."""

    def __call__(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, ingested_at: datetime) -> Any: ...


@dataclass(frozen=True, slots=True)
class CollectionRule:
    """`immutable_id` is `dcr-` and 32 hex digits; `streams` maps `Custom-...` to its table."""

    immutable_id: str
    streams: Mapping[str, Table]
    store: RowStore
