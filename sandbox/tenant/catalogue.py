"""The documented activity types, read from `types.json`: each field's name, shape, and whether it may be absent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["string", "number", "boolean", "unknown", "enum", "array", "object", "map", "setting"]
Product = Literal["claude.ai", "console", "both"]

_DATA = Path(__file__).with_name("types.json")
_BARE: dict[str, Kind] = {"string": "string", "number": "number", "boolean": "boolean", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a value: `options` of an enum or setting, `inner` of an array or map, `members` of an object."""

    kind: Kind
    nullable: bool = False
    options: tuple[str, ...] = ()
    inner: "Shape | None" = None
    members: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    required: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class ActivityType:
    """One documented type. `actors` is a hint, ("any",) or some of the eleven without their `_actor` ending.

    `complete` is False where the reference names only some of the fields.
    """

    name: str
    product: Product
    actors: tuple[str, ...]
    complete: bool
    fields: tuple[Field, ...]

    @property
    def own_id(self) -> str | None:
        """The id of the object the type is named after: `federation_rule_id` of `platform_federation_rule_created`."""
        names = {field.name for field in self.fields}
        words = self.name.split("_")[:-1]
        ids = ("_".join([*words[start:], "id"]) for start in range(len(words)))
        return next((name for name in ids if name in names), None)


@cache
def activity_types() -> dict[str, ActivityType]:
    """All documented types by name, in the catalogue's order."""
    raw = json.loads(_DATA.read_text(encoding="utf-8"))
    return {
        name: ActivityType(
            name,
            entry["product"],
            tuple(entry["actors"]),
            entry.get("complete", True),
            tuple(_field(text) for text in entry["fields"]),
        )
        for name, entry in raw["types"].items()
    }


@cache
def settings(of: str) -> dict[str, str]:
    """Names of the settings inside `updates[]`, each with the kind of its values; `of` is organization or user."""
    raw = json.loads(_DATA.read_text(encoding="utf-8"))
    return dict(raw["settings"][of])


def _field(text: str) -> Field:
    name, _, shape = text.partition(":")
    return Field(name.removesuffix("?"), not name.endswith("?"), _shape(shape))


def _shape(text: str) -> Shape:
    """Parse the notation of `types.json`; ValueError on anything it does not describe."""
    nullable = text.endswith("|null")
    text = text.removesuffix("|null")
    if text in _BARE:
        return Shape(_BARE[text], nullable)
    opening = min(at for at in (text.find(sign) for sign in "<({") if at > 0)
    word, inside = text[:opening], text[opening + 1 : -1]
    match word:
        case "enum":
            return Shape("enum", nullable, options=tuple(inside.split("|")))
        case "setting":
            return Shape("setting", nullable, options=(inside,))
        case "array":
            return Shape("array", nullable, inner=_shape(inside))
        case "map":
            return Shape("map", nullable, inner=_shape(inside.partition(",")[2]))
        case "object":
            return Shape("object", nullable, members=tuple(_field(part) for part in _parts(inside)))
    raise ValueError(f"types.json: no such shape: {text}")


def _parts(text: str) -> Iterator[str]:
    """Split at the commas that are not inside brackets."""
    depth, start = 0, 0
    for at, sign in enumerate(text):
        if sign in "<({":
            depth += 1
        elif sign in ">)}":
            depth -= 1
        elif sign == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
