"""Rows packed into uploads: in order, encoded once, never over the limit. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from isal import isal_zlib

from shared.errors import RowTooLarge
from shared.models import Outgoing

UPLOAD_LIMIT_BYTES = 1_000_000
"""Documented limit of one call is 1 MB, before and after compression; the service's own text says 1,048,576."""
SCHEMA_FAULT_ROWS = 10
"""More refused rows than this in one page are no accident of data: the DCR and the table do not fit the rows."""
SINK_ATTEMPTS = 6
"""Uploads of the same rows before the run leaves them to the next."""

_GZIP = 31  # window bits that make zlib write a gzip frame
_FASTEST = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """One upload: `rows` in order, and their JSON array."""

    rows: tuple[Outgoing, ...]
    body: bytes

    def compressed(self) -> bytes:
        """The body as gzip. Level 1: a batch shrinks to a fifth and the network is not what limits us."""
        packer = isal_zlib.compressobj(_FASTEST, isal_zlib.DEFLATED, _GZIP)
        return bytes(packer.compress(self.body) + packer.flush())

    def halves(self) -> tuple["Batch", "Batch"]:
        """Two batches of at least one row each; the caller has more than one."""
        middle = len(self.rows) // 2
        return pack(self.rows[:middle]), pack(self.rows[middle:])


@dataclass(slots=True)
class Sent:
    """What became of one page's rows; `refused` pairs each row with the service's own words.

    `retries` counts the uploads that had to be sent again.
    """

    rows: int = 0
    batches: int = 0
    bytes: int = 0
    retries: int = 0
    refused: list[tuple[Outgoing, str]] = field(default_factory=list)


def pack(rows: Iterable[Outgoing]) -> Batch:
    """One batch of just these rows."""
    kept = tuple(rows)
    return Batch(kept, b"[" + b",".join([row.body for row in kept]) + b"]")


def batches(rows: Iterable[Outgoing], *, limit_bytes: int = UPLOAD_LIMIT_BYTES) -> Iterator[Batch]:
    """Pack rows, in order, into uploads of at most `limit_bytes` of UTF-8 JSON, brackets and commas included.

    Yields non-empty batches whose rows, joined, are `rows`.
    Raises RowTooLarge if one row cannot fit alone; the caller sets that row aside.
    Limit: https://learn.microsoft.com/azure/azure-monitor/service-limits (Logs Ingestion API).
    """
    waiting: list[Outgoing] = []
    size = 1  # the opening bracket; each row brings the comma or bracket that follows it
    for row in rows:
        need = len(row.body) + 1
        if size + need > limit_bytes:
            if waiting:
                yield pack(waiting)
                waiting, size = [], 1
            if need + 1 > limit_bytes:
                raise RowTooLarge(f"a row of {need - 1} bytes does not fit an upload of {limit_bytes}")
        waiting.append(row)
        size += need
    if waiting:
        yield pack(waiting)
