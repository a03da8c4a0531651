"""What leaves of a row when people are pseudonymous, or when a category is only counted. Pure.

Keyed hashes (HMAC-SHA-256, the key in the vault) stand in for addresses: the same person stays the same value, so
counts, joins and time lines still work, and whoever holds only the table cannot compute who it is.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

import msgspec

from shared import tables
from shared.errors import ConfigError
from shared.rows import personal_data

Mode = Literal["full", "pseudonymous", "count-only"]
MODES: tuple[Mode, ...] = ("full", "pseudonymous", "count-only")
EVERY_CATEGORY = "*"
HASH_LENGTH = 32
KEY_BYTES = 16

_PERSONAL = tuple(c.name for c in tables.load(tables.ACTIVITY).columns if c.sensitivity == "personal")
_DYNAMIC = ("Details", "ActorDetails", "Changes", "Handling", "TargetUserIds", "Scopes")


@dataclass(frozen=True, slots=True)
class Minimizer:
    """The organization's choice: a mode per category (`*` for the rest), and the key of the hashes.

    Raises ConfigError for a pseudonymous mode without a key of at least 16 bytes.
    """

    modes: Mapping[str, Mode] = field(default_factory=dict)
    key: bytes = b""

    def __post_init__(self) -> None:
        if "pseudonymous" in self.modes.values() and len(self.key) < KEY_BYTES:
            raise ConfigError(
                "pseudonymous rows need IDENTITY_KEY, at least 16 random bytes kept in the vault: without it the "
                "hashes could be computed by anybody; losing it later means that old and new rows no longer match"
            )

    def mode(self, category: str) -> Mode:
        """How activities of this category leave."""
        return self.modes.get(category) or self.modes.get(EVERY_CATEGORY) or "full"

    def apply(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row as it may leave; the same object when nothing had to change. Never called for `count-only`."""
        if self.mode(str(row.get("Category", ""))) != "pseudonymous":
            return row
        shown = dict(row)
        told = personal_data.named(row.get("Details")) | personal_data.named(row.get("ActorDetails"))
        if row.get("ObjectType") == "github_token" and "ObjectName" in row:
            told.add(row["ObjectName"])  # the login has a column instead of its field
        for name, value in row.items():
            if name in _DYNAMIC:
                shown[name] = self.without_people(value)
            elif value.__class__ is str and value:
                whole = name in _PERSONAL or value in told
                shown[name] = self.pseudonym(value) if whole else personal_data.hidden(value, self.pseudonym)
        # Unkeyed, this digest of the original could be used to try addresses one by one.
        shown["RecordHash"] = self._digest(str(row.get("RecordHash", ""))).hex()
        return shown

    def pseudonym(self, value: str) -> str:
        """32 hex digits for one address or name, however it is spelled."""
        return self._digest(personal_data.spelled_alike(value)).hex()[:HASH_LENGTH]

    def without_people(self, value: Any) -> Any:
        """A JSON value with the people in it replaced by their hashes."""
        return personal_data.without_people(value, self.pseudonym)

    def _digest(self, value: str) -> bytes:
        return hmac.new(self.key, value.encode("utf-8", "surrogatepass"), sha256).digest()


def parse_modes(text: Mapping[str, str], *, identity: str, categories: frozenset[str]) -> dict[str, Mode]:
    """The MINIMIZE and IDENTITY settings as modes. Raises ConfigError naming the category or mode nobody knows."""
    modes: dict[str, Mode] = {EVERY_CATEGORY: "pseudonymous"} if identity == "pseudonymous" else {}
    for category, mode in text.items():
        if category != EVERY_CATEGORY and category not in categories:
            raise ConfigError(
                f"MINIMIZE names a category {category!r} that does not exist: see docs/reference/activity-types.md"
            )
        known = next((each for each in MODES if each == mode), None)
        if known is None:
            raise ConfigError(f"MINIMIZE gives {category!r} the mode {mode!r}: it must be one of {', '.join(MODES)}")
        if known == "full" and identity == "pseudonymous":
            raise ConfigError(
                f"MINIMIZE says full for {category!r} while IDENTITY is pseudonymous: choose one of the two"
            )
        modes[category] = known
    return modes


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Shaping:
    """What is done to every row; `plain` when it is nothing.

    `deployed_version` is the version of ClaudeActivity_CL in the workspace; None means this release's own.

    Newer code against an older table would lose the columns the DCR does not declare: their values go into
    `Details` under the column's name (a tilde added where a field has that name); `Handling.newerColumns` names them.
    """

    minimizer: Minimizer = field(default_factory=Minimizer)
    deployed_version: int | None = None
    newer: frozenset[str] = field(init=False)
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        newer = newer_columns(tables.ACTIVITY, self.deployed_version)
        object.__setattr__(self, "newer", newer)
        object.__setattr__(self, "plain", not newer and not self.minimizer.modes)

    def mode(self, category: str) -> Mode:
        """Whether activities of this category leave in full, pseudonymous, or are only counted."""
        return self.minimizer.mode(category)

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row as it leaves."""
        row = self.minimizer.apply(row)
        if not self.newer or self.newer.isdisjoint(row):
            return row
        kept = fitted(row, self.newer)
        kept["Handling"] = {**(row.get("Handling") or {}), "newerColumns": sorted(self.newer & row.keys())}
        return kept

    def whole(self, original: bytes, category: str) -> bytes:
        """The original of a row that had to be cut, as it may be kept."""
        if self.mode(category) != "pseudonymous":
            return original
        return _encode(self.minimizer.without_people(_decode(original)))


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
            position = name
            while position in details:  # a field the API spells like our column keeps its place
                position += "~"
            details[position] = row[name]
    return {**kept, "Details": details}
