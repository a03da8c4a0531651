"""What one run did, in numbers: the facts of its health row."""

from collections import Counter
from dataclasses import dataclass, field

from shared.models import Hour


@dataclass(slots=True)
class Tally:
    """Counts over the pages of one run; every activity read ends in exactly one of the first four.

    `counted` are activities of categories that are only counted: their ids are in the ledger, and no row leaves.

    `repeated` were in the ledger already (or twice in one page), `late` are sent rows a sweep found, a part of `sent`.
    `own_keys` are ids of keys our own requests were recorded under. `seen` holds, per hour, the distinct prefixes the
    feed showed, while `watch_hours` asks for it.
    """

    sent: int = 0
    repeated: int = 0
    aside: int = 0
    counted: int = 0
    read: int = 0
    pages: int = 0
    batches: int = 0
    body_bytes: int = 0
    escaped: int = 0
    overflowed: int = 0
    undated: int = 0
    bytes_by_category: Counter[str] = field(default_factory=Counter)
    aside_reasons: Counter[str] = field(default_factory=Counter)
    unknown_types: Counter[str] = field(default_factory=Counter)
    unknown_actors: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    hours: Counter[Hour] = field(default_factory=Counter)
    own_keys: set[str] = field(default_factory=set)
    seen: dict[Hour, set[bytes]] = field(default_factory=dict)
