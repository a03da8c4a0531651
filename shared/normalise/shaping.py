"""From the full row to the row that may leave and that the deployed table can hold. Pure."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared import tables
from shared.normalise.minimise import Minimiser, Mode

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Shaping:
    """What is done to every row; `plain` when it is nothing.

    `deployed_version` is the version of ClaudeActivity_CL in the workspace; None means this release's own.

    Newer code against an older table would lose the columns the DCR does not declare: their values go into
    `Details` under the column's name (a tilde added where a field has that name); `Handling.newerColumns` names them.
    """

    minimiser: Minimiser = field(default_factory=Minimiser)
    deployed_version: int | None = None
    newer: frozenset[str] = field(init=False)
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        table = tables.load(tables.ACTIVITY)
        deployed = table.version if self.deployed_version is None else self.deployed_version
        newer = frozenset(c.name for c in table.columns if c.since > deployed)
        object.__setattr__(self, "newer", newer)
        object.__setattr__(self, "plain", not newer and not self.minimiser.modes)

    def mode(self, category: str) -> Mode:
        """Whether activities of this category leave in full, pseudonymous, or are only counted."""
        return self.minimiser.mode(category)

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row as it leaves."""
        row = self.minimiser.apply(row)
        if not self.newer or self.newer.isdisjoint(row):
            return row
        kept = {name: value for name, value in row.items() if name not in self.newer}
        moved = {name: value for name, value in row.items() if name in self.newer}
        details = dict(row.get("Details") or {})
        for name, value in moved.items():
            while name in details:  # a field the API spells like our column keeps its place
                name += "~"
            details[name] = value
        kept["Details"] = details
        kept["Handling"] = {**(row.get("Handling") or {}), "newerColumns": sorted(moved)}
        return kept

    def whole(self, original: bytes, category: str) -> bytes:
        """The original of a row that had to be cut, as it may be kept."""
        if self.mode(category) != "pseudonymous":
            return original
        return _encode(self.minimiser.without_people(_decode(original)))
