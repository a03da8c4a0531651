"""Plausible values for documented fields: by the field's name where a name says more, by its shape otherwise.

The reference gives few closed lists; words such as `needs_approval` or `organization` are our invention in the
spirit of the documentation, and rules should not lean on them.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.tenant.catalogue import ActivityType, Field, Shape, settings
from sandbox.tenant.ids import Ids
from sandbox.tenant.sample_values import NUMBERS, WORDS

# Always null since 2026-09-24, also for older activities (compliance-api.md, 6.3).
BLANKED: Final = frozenset({"filename", "title"})

# Fields picked from `pools` with one index, so that an id and its name belong together.
_FAMILIES: Final = {
    field: family
    for family, fields in {
        "connector": ("mcp_server_id", "mcp_server_name", "mcp_server_url"),
        "plugin": ("plugin_id", "plugin_name"),
        "skill": ("skill_id", "skill_name"),
        "group": ("group_id", "group_name"),
        "person": ("user_id", "user_email", "deleted_user_id", "deleted_user_email", "account_id", "target_id"),
        "invited": ("invited_email", "invitee_email"),
    }.items()
    for field in fields
}
_TIME_ENDINGS: Final = ("_at", "_date", "hour")
_FINGERPRINTS: Final = ("checksum", "hash", "fingerprint", "sha256")


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class ValueGenerator:
    """Draws values from one random generator; `pools` are the tenant's own objects (see company.Company)."""

    def __init__(self, rng: random.Random, pools: Mapping[str, Sequence[Any]]) -> None:
        self.rng = rng
        self.ids = Ids(rng)
        self._pools = pools

    def fields(self, kind: ActivityType, at: datetime, *, sparse: bool = True) -> dict[str, Any]:
        """The type's own fields. With `sparse` a third of the optional ones are absent or null, as in the real feed.

        A `*_created` type gets a new id for its object; other ids come from the tenant where it has such objects.
        """
        picks: dict[str, int] = {}
        fresh = kind.own_id if kind.name.endswith(("_created", "_minted", "_generated")) else None
        filled: dict[str, Any] = {}
        for field in kind.fields:
            if field.name in BLANKED:
                filled[field.name] = None
            elif sparse and not field.required and self.rng.random() < 0.33:
                if field.shape.nullable:
                    filled[field.name] = None
            elif field.name == fresh:
                filled[field.name] = self.ids.of(field.name)
            else:
                filled[field.name] = self._value(field.name, field.shape, at, picks, sparse=sparse)
        return filled

    def _value(self, name: str, shape: Shape, at: datetime, picks: dict[str, int], *, sparse: bool) -> Any:
        match shape.kind:
            case "string" | "unknown":
                return self._string(name, at, picks)
            case "number":
                low, high = NUMBERS.get(name, (1, 20))
                return self.rng.randint(low, high)
            case "boolean":
                return self.rng.random() < 0.5
            case "enum":
                return self.rng.choice([word for word in shape.options if word != "unspecified"])
            case "array":
                return self._array(name, shape, at, sparse=sparse)
            case "object":
                return self._object(shape.members, at, sparse=sparse)
            case "map":
                assert shape.inner is not None
                keys = ("premium", "standard") if shape.inner.kind == "number" else ("sub", "ref")
                return {key: self._value(key, shape.inner, at, picks, sparse=sparse) for key in keys}
            case "setting":
                return self.setting(shape.options[0])

    def _array(self, name: str, shape: Shape, at: datetime, *, sparse: bool) -> list[Any]:
        assert shape.inner is not None
        if shape.inner.kind == "string":
            options = self._pools.get("user_id" if name == "member_ids" else name) or WORDS.get(name)
            count = self.rng.randint(1, 3)
            if options:
                return self.rng.sample(options, min(count, len(options)))
            return [self._string(name, at, {}) for _ in range(count)]
        return [self._value(name, shape.inner, at, {}, sparse=sparse)]

    def _object(self, members: tuple[Field, ...], at: datetime, *, sparse: bool) -> dict[str, Any]:
        picks: dict[str, int] = {}
        filled = {}
        for field in members:
            if sparse and not field.required and self.rng.random() < 0.33:
                continue
            filled[field.name] = self._value(field.name, field.shape, at, picks, sparse=sparse)
        return filled

    def _string(self, name: str, at: datetime, picks: dict[str, int]) -> str:
        pool = self._pools.get(name)
        if pool:
            family = _FAMILIES.get(name, name)
            index = picks.setdefault(family, self.rng.randrange(len(pool)))
            return str(pool[index % len(pool)])
        words = WORDS.get(name) or WORDS.get(name.removeprefix("previous_"))
        if words:
            return self.rng.choice(words)
        if name == "filename":
            return ""
        if name.endswith(_TIME_ENDINGS):
            return stamp(at + timedelta(days=self.rng.randint(1, 90) if name.startswith(("exp", "cred")) else 0))
        if name.endswith(_FINGERPRINTS):
            return self.ids.hex(64)
        if name.endswith(("jti", "uuid")):
            return self.ids.uuid()
        if name.endswith("_ts"):
            return f"{at.timestamp():.6f}"
        if name == "id":
            return self.ids.new("msg")
        return self.ids.of(name)

    def setting(self, of: str, name: str | None = None) -> dict[str, Any]:
        """One item of `updates[]`; `of` is organization or user, `name` one of its settings or any."""
        kinds = settings(of)
        name = name or self.rng.choice(list(kinds))
        pairs: dict[str, tuple[Any, Any]] = {
            "boolean": (False, True),
            "number": (self.rng.randint(100, 400), self.rng.randint(401, 900)),
            "string": ("standard", "adjusted"),
            "list": (["first"], ["first", "second"]),
            "map": ({"mode": "standard"}, {"mode": "adjusted"}),
            "objects": ([{"name": "first", "days": 30}], [{"name": "first", "days": 90}]),
        }
        if kinds[name] not in pairs:
            return {"type": name}
        previous, current = pairs[kinds[name]]
        if kinds[name] == "boolean" and self.rng.random() < 0.5:
            previous, current = current, previous
        return {"type": name, "previous_value": previous, "current_value": current}
