"""From the full row to the row that may leave and that the deployed table can hold. Pure."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared import tables
from shared.rows.minimize import Minimiser, Mode

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
        newer = newer_columns(tables.ACTIVITY, self.deployed_version)
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
        kept = fitted(row, self.newer)
        kept["Handling"] = {**(row.get("Handling") or {}), "newerColumns": sorted(self.newer & row.keys())}
        return kept

    def whole(self, original: bytes, category: str) -> bytes:
        """The original of a row that had to be cut, as it may be kept."""
        if self.mode(category) != "pseudonymous":
            return original
        return _encode(self.minimiser.without_people(_decode(original)))


def newer_columns(table: str, deployed_version: int | None) -> frozenset[str]:
    """Columns that this release writes and the deployed version of the table lacks; None is this release's own."""
    known = tables.load(table)
    deployed = known.version if deployed_version is None else deployed_version
    return frozenset(column.name for column in known.columns if column.since > deployed)


def fitted(row: dict[str, Any], newer: frozenset[str]) -> dict[str, Any]:
    """The row without the columns the deployed table lacks; what they held is in `Details`."""
    kept = {name: value for name, value in row.items() if name not in newer}
    details = dict(row.get("Details") or {})
    for name in row:
        if name in newer:
            place = name
            while place in details:  # a field the API spells like our column keeps its place
                place += "~"
            details[place] = row[name]
    return {**kept, "Details": details}
