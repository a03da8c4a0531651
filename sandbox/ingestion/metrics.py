"""Metrics of a data collection rule, and silent losses that Azure does not report."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.ingestion.rows import Conformed


@dataclass(slots=True)
class Metrics:
    """Counts since the endpoint was created; the counters are by status code or by column name.

    The first four are the rule's own metrics (ApiCallReceived, BytesReceived, RowsReceived, RowsDropped); Azure
    also shows dropped columns, and does not count the rest.
    """

    calls: Counter[int] = field(default_factory=Counter)
    bytes_received: int = 0
    rows_received: int = 0
    rows_dropped: int = 0
    rows_stored: int = 0
    columns_dropped: Counter[str] = field(default_factory=Counter)
    cells_nulled: Counter[str] = field(default_factory=Counter)
    cells_cut: Counter[str] = field(default_factory=Counter)
    times_replaced: int = 0
    bodies_not_arrays: int = 0

    def count(self, conformed: Conformed) -> None:
        """Add the results of one call."""
        self.rows_received += conformed.received
        self.rows_dropped += conformed.received - len(conformed.rows)
        self.columns_dropped += conformed.columns_dropped
        self.cells_nulled += conformed.cells_nulled
        self.cells_cut += conformed.cells_cut
        self.times_replaced += conformed.times_replaced
