"""Mutants of a query: one thing changed in each. A test that passes whatever the query says proves nothing.

Made from the syntax tree, not from the text:
drop      a condition of a `where` (each part of an `and` by itself) holds always; each part of an `or` never
invert    a whole `where` is turned round
admit     a leftanti or leftsemi join lets everything through
count     countif and dcountif count everything
limit     a number compared with, or a `let` number, is one more, and one less
window    a `let` span is ten times as long
list      one text less in a list of several
Conditions on IngestedAt, TimeGenerated, IsBackfill and ClaudeMuted are left alone: laws.py looks after them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sentinel.tools.check.bind import Bound, Node

_LAWS_WORDS = frozenset({"IngestedAt", "TimeGenerated", "IsBackfill", "ClaudeMuted"})
_COMPARISONS = (
    "GreaterThanExpression",
    "GreaterThanOrEqualExpression",
    "LessThanExpression",
    "LessThanOrEqualExpression",
)
_LISTS = frozenset({"in", "!in", "in~", "!in~", "has_any", "has_all"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` says what was changed on which line of the query, in words that stay when other lines change."""

    name: str
    line: int
    query: str


def mutants(bound: Bound) -> list[Mutant]:
    """Every mutant of a bound query, in the order of its text, each query once."""
    made: dict[str, Mutant] = {}
    for name, start, end, text in _changes(bound):
        query = bound.text[:start] + text + bound.text[end:]
        made.setdefault(query, Mutant(name, bound.text.count("\n", 0, start) + 1, query))
    return list(made.values())


Change = tuple[str, int, int, str]  # name, start, end, replacement


def _changes(bound: Bound) -> Iterator[Change]:
    for node in bound.tree.walk():
        if node.kind == "FilterOperator":
            yield from _conditions(bound, node.children[-1])
        elif node.kind == "JoinOperator":
            yield from _admitted(bound, node)
        elif node.kind == "FunctionCallExpression" and node.name in ("countif", "dcountif"):
            condition = _arguments(node)[-1]
            yield f"count: {_short(bound, condition)}", condition.start, condition.end, "true"
        elif node.kind in _COMPARISONS:
            yield from _limits(bound, node.children[-1])
        elif node.kind == "LetStatement":
            yield from _limits(bound, node.children[-1])
            yield from _windows(bound, node.children[-1])
        elif node.kind == "ExpressionList" or node.kind == "JsonArrayExpression":
            yield from _shorter(bound, node)


def _conditions(bound: Bound, condition: Node) -> Iterator[Change]:
    parts = list(_parts(condition, "AndExpression"))
    ours = [part for part in parts if not _is_for_laws(part)]
    for part in ours:
        yield f"drop: {_short(bound, part)}", part.start, part.end, "true"
        for side in _sides(part):
            yield f"drop: {_short(bound, side)}", side.start, side.end, "false"
    if ours and len(ours) == len(parts):
        whole = bound.part(condition)
        yield f"invert: {_short(bound, condition)}", condition.start, condition.end, f"not({whole})"


def _is_for_laws(part: Node) -> bool:
    return any(
        node.name in _LAWS_WORDS or node.name.endswith("IngestedAt")
        for node in part.walk()
        if node.kind == "NameReference"
    )


def _parts(node: Node, kind: str) -> Iterator[Node]:
    if node.kind == kind:
        for child in node.children:
            yield from _parts(child, kind)
    else:
        yield node


def _sides(part: Node) -> Iterator[Node]:
    """The alternatives of an `or`, brackets taken off; none when it is no `or`."""
    while part.kind == "ParenthesizedExpression":
        part = part.children[0]
    if part.kind == "OrExpression":
        yield from _parts(part, "OrExpression")


def _admitted(bound: Bound, join: Node) -> Iterator[Change]:
    text = bound.part(join)
    if text.startswith(("join kind=leftanti", "join kind=leftsemi")):
        yield f"admit: {_short(bound, join)}", join.start, join.end, "where true"


def _arguments(call: Node) -> list[Node]:
    return [child for node in call.children if node.kind == "ExpressionList" for child in _items(node)]


def _items(node: Node) -> list[Node]:
    """The elements of an expression list or a dynamic array, whatever holds them."""
    found: list[Node] = []
    for child in node.children:
        found += _items(child) if child.kind in ("List", "SeparatedElement") else [child]
    return found


def _limits(bound: Bound, node: Node) -> Iterator[Change]:
    if node.kind == "LongLiteralExpression":
        number = int(bound.part(node))
        for other in (number + 1, number - 1):
            yield f"limit: {_around(bound, node)} -> {other}", node.start, node.end, str(other)


def _windows(bound: Bound, node: Node) -> Iterator[Change]:
    if node.kind == "TimespanLiteralExpression":
        text = bound.part(node)
        yield f"window: {_around(bound, node)} x 10", node.start, node.end, f"{text} * 10"


def _shorter(bound: Bound, node: Node) -> Iterator[Change]:
    items = _items(node)
    texts = [item for item in items if item.kind in ("StringLiteralExpression", "JsonValue", "StringLiteralToken")]
    if len(texts) < 2 or len(texts) != len(items) or not _is_list(bound, node):
        return
    for index, item in enumerate(items):
        kept = ", ".join(bound.part(other) for at, other in enumerate(items) if at != index)
        first, last = items[0], items[-1]
        yield f"list: without {bound.part(item)}", first.start, last.end, kept


def _is_list(bound: Bound, node: Node) -> bool:
    if node.kind == "JsonArrayExpression":
        return True
    before = bound.text[: node.start].rstrip()
    return before.rsplit(None, 1)[-1].lower() in _LISTS if before else False


def _around(bound: Bound, node: Node) -> str:
    """The line a literal stands on, from its start: `let threshold = 5`."""
    start = bound.text.rfind("\n", 0, node.start) + 1
    return " ".join(bound.text[start : node.end].split())


def _short(bound: Bound, node: Node) -> str:
    text = " ".join(bound.part(node).split())
    return text if len(text) <= 80 else text[:77] + "..."
