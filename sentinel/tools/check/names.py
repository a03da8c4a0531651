"""Which activity types and fields a query names: names the API does not have find nothing, and nobody notices."""

import re
from collections.abc import Iterator

from sentinel.tools.check.bind import Bound, Node
from shared.streams.activity import catalogue

_COMPARING = ("EqualExpression", "EqualTildeExpression", "NotEqualExpression", "InExpression", "NotInExpression")
_QUOTED = re.compile(r'"([^"]*)"')
# Kept beside the fields of the API in Details by other products' tables, too: only ours are checked.
_OUR_BAGS = frozenset({"Details"})


def named_types(bound: Bound) -> dict[str, int]:
    """Activity types the query names, each with its line.

    They stand in calls of ClaudeActivity, beside a comparison with ActivityType, and in a `let` that ends in "types".
    """
    found: dict[str, int] = {}
    for node in bound.tree.walk():
        if _names_types(node):
            for text in node.of_kind("StringLiteralExpression", "DynamicExpression", "JsonArrayExpression"):
                for name in _QUOTED.findall(bound.part(text)):
                    found.setdefault(name, bound.line(text))
    return found


def _names_types(node: Node) -> bool:
    if node.kind in _COMPARING:
        return node.children[0].name == "ActivityType"
    if node.kind == "FunctionCallExpression":
        return node.name in ("ClaudeActivity", "ClaudeChangesApproved")
    return node.kind == "LetStatement" and node.children[0].name.lower().endswith("types")


def unknown_types(bound: Bound) -> Iterator[tuple[str, int]]:
    """(reason, line) of every type that the catalogue lacks."""
    known = catalogue.load().types
    for name, line in named_types(bound).items():
        if name not in known:
            yield f"{name} is no activity type of shared/streams/activity/catalogue.json", line


def unknown_fields(bound: Bound) -> Iterator[tuple[str, int]]:
    """(reason, line) of every `Details.field` that no named type has, or no type at all where none is named."""
    entries = catalogue.load().types
    named = [entries[name] for name in named_types(bound) if name in entries] or list(entries.values())
    known = frozenset[str]().union(*(entry.fields for entry in named))
    for node in bound.tree.walk():
        field = _field(bound, node)
        if field is not None and field not in known:
            yield f"Details has no field {field} for the activity types of this query", bound.line(node)


def _field(bound: Bound, node: Node) -> str | None:
    if node.kind not in ("PathExpression", "ElementExpression") or node.children[0].name not in _OUR_BAGS:
        return None
    return re.sub(r'[\[\]"\']', "", bound.part(node.children[1]))
