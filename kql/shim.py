"""Functions that duckdb-kql 1.1.2 lacks or implements differently, added to its registries as SQL.

Each function follows its page under https://learn.microsoft.com/kusto/query/; the tests run their examples.
`tostring(bool)` stays as the translator renders it (`True`): its authors measured that on Microsoft's emulator, and the
documentation does not contradict it. Compare with `=~` to be correct either way.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from duckdb_kql import translate
from duckdb_kql.translate import functions as registry

from kql import shim_addresses
from kql.shim_timespan import format_timespan

INGESTED_AT = "_IngestedAt"

_HIDDEN = re.compile(rf"{INGESTED_AT}\d*")
_getschema = translate.render_getschema


def is_hidden(name: str) -> bool:
    """Whether a result column is the stored ingestion time, or a join's second copy of it."""
    return _HIDDEN.fullmatch(name) is not None


@dataclass(frozen=True)
class Scalar(registry.FunctionSpec):
    """A scalar function; `make` builds its SQL from the SQL of its arguments."""

    make: Callable[[Sequence[str]], str] = lambda _: "NULL"

    def render(self, args: list[str]) -> str:
        if self.arities and len(args) not in self.arities:
            raise ValueError(f"{self.name}() takes {self.arities} argument(s), got {len(args)}")
        return self.make(args)


@dataclass(frozen=True)
class Aggregate(registry.AggregateSpec):
    """An aggregate function; `make` builds its SQL. The last argument may limit the number of elements."""

    make: Callable[[Sequence[str]], str] = lambda _: "NULL"

    def render(self, args: list[str]) -> str:
        if len(args) not in self.arities:
            raise ValueError(f"{self.name}() takes {self.arities} argument(s), got {len(args)}")
        return self.make(args)


def install() -> None:
    """Register all functions. Idempotent."""
    for scalar in _SCALARS:
        registry.SCALAR_FUNCTIONS[scalar.name] = scalar
    for aggregate in _AGGREGATES:
        registry.AGGREGATE_FUNCTIONS[aggregate.name] = aggregate
    translate.render_getschema = _getschema_without_hidden


def _getschema_without_hidden(prev: str) -> str:
    return f"SELECT * FROM ({_getschema(prev)}) WHERE NOT regexp_full_match(\"ColumnName\", '{_HIDDEN.pattern}')"


def _array(sql: str) -> str:
    """A dynamic array as a list of JSON; null when it is not an array."""
    return f"(CASE json_type(to_json({sql})) WHEN 'ARRAY' THEN CAST(to_json({sql}) AS JSON[]) END)"


def _distinct(elements: str) -> str:
    """First occurrences, in order: Kusto does not define the order, and tests need a reproducible one."""
    return f"list_transform([{elements}], lambda _a: list_filter(_a, lambda _x, _i: list_position(_a, _x) = _i))[1]"


def _set_difference(args: Sequence[str]) -> str:
    others = "list_concat(" + ", ".join(map(_array, args[1:])) + ")" if len(args) > 2 else _array(args[1])
    return f"to_json(list_filter({_distinct(_array(args[0]))}, lambda _e: NOT list_contains({others}, _e)))"


def _set_intersect(args: Sequence[str]) -> str:
    everywhere = " AND ".join(f"list_contains({_array(other)}, _e)" for other in args[1:])
    return f"to_json(list_filter({_distinct(_array(args[0]))}, lambda _e: {everywhere}))"


def _set_union(args: Sequence[str]) -> str:
    return f"to_json({_distinct('flatten([' + ', '.join(map(_array, args)) + '])')})"


def _bag(sql: str) -> str:
    """A dynamic as a map of JSON; null when it is not a bag."""
    return f"(CASE json_type(to_json({sql})) WHEN 'OBJECT' THEN CAST(to_json({sql}) AS MAP(VARCHAR, JSON)) END)"


def _bag_merge(args: Sequence[str]) -> str:
    # In map_concat the later value wins and nulls are skipped; Kusto does not define which value wins.
    return f"to_json(map_concat({', '.join(map(_bag, reversed(args)))}))"


def _bag_keys(args: Sequence[str]) -> str:
    bag = args[0]
    return (
        f"(CASE json_type({bag}) WHEN 'OBJECT' THEN to_json(json_keys({bag})) "
        f"WHEN 'NULL' THEN NULL ELSE CASE WHEN {bag} IS NOT NULL THEN to_json([]) END END)"
    )


def _shifted(function: str) -> Callable[[Sequence[str]], str]:
    """`prev` or `next`: rows keep the order of the preceding sort."""
    return lambda args: f"{function}({', '.join(args)}) OVER ()"


def _capped(elements: str, args: Sequence[str], cap_at: int) -> str:
    return f"list_slice({elements}, 1, {args[cap_at]})" if len(args) > cap_at else elements


def _list(condition: int | None) -> Callable[[Sequence[str]], str]:
    """make_list, or make_list_if with its predicate at `condition`; nulls are skipped, no values give []."""

    def make(args: Sequence[str]) -> str:
        where = f"{args[0]} IS NOT NULL" + (f" AND {args[condition]}" if condition else "")
        return (
            f"to_json({_capped(f'coalesce(list({args[0]}) FILTER (WHERE {where}), [])', args, (condition or 0) + 1)})"
        )

    return make


def _set(condition: int | None) -> Callable[[Sequence[str]], str]:
    """make_set, or make_set_if: like `_list`, with distinct values; arrays contribute their elements."""

    def make(args: Sequence[str]) -> str:
        value, cap_at = args[0], (condition or 0) + 1
        where = f"{value} IS NOT NULL" + (f" AND {args[condition]}" if condition else "")
        each = (
            f"CASE WHEN json_type(TRY_CAST({value} AS JSON)) = 'ARRAY' "
            f"THEN CAST(to_json({value}) AS JSON[]) ELSE [to_json({value})] END"
        )
        elements = f"flatten(coalesce(list({each}) FILTER (WHERE {where}), []))"
        return f"to_json({_capped(f'coalesce({_distinct(elements)}, [])', args, cap_at)})"

    return make


def _make_bag(args: Sequence[str]) -> str:
    bag = _bag(args[0])
    merged = f"list_reduce(list({bag}) FILTER (WHERE {bag} IS NOT NULL), lambda _a, _b: map_concat(_b, _a))"
    return f"coalesce(to_json({merged}), CAST('{{}}' AS JSON))"


def _scalar(name: str, arities: tuple[int, ...], make: Callable[[Sequence[str]], str]) -> Scalar:
    return Scalar(name, "template", "", arities, make=make)


_SCALARS = (
    _scalar("ingestion_time", (0,), lambda _: f'"{INGESTED_AT}"'),
    _scalar("ipv4_is_in_range", (2,), shim_addresses.is_in_range),
    _scalar("ipv4_is_private", (1,), shim_addresses.is_private),
    _scalar("has_ipv4", (2,), shim_addresses.has_address),
    _scalar("has_any_ipv4_prefix", (2,), shim_addresses.has_any_prefix),
    _scalar("set_difference", (2, 3, 4, 5), _set_difference),
    _scalar("set_intersect", (2, 3, 4, 5), _set_intersect),
    _scalar("set_union", (2, 3, 4, 5), _set_union),
    _scalar("bag_keys", (1,), _bag_keys),
    _scalar("bag_merge", (2, 3, 4, 5), _bag_merge),
    _scalar("prev", (1, 2, 3), _shifted("lag")),
    _scalar("next", (1, 2, 3), _shifted("lead")),
    _scalar("row_number", (0, 1), lambda args: f"(row_number() OVER () + {args[0] if args else 1} - 1)"),
    _scalar(
        "row_cumsum",
        (1,),
        lambda args: f"sum({args[0]}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    ),
    _scalar("format_timespan", (2,), format_timespan),
)

_AGGREGATES = (
    Aggregate("make_list", "", (1, 2), name_prefix="list", make=_list(None)),
    Aggregate("make_list_if", "", (2, 3), name_prefix="list", make=_list(1)),
    Aggregate("make_set", "", (1, 2), name_prefix="set", make=_set(None)),
    Aggregate("make_set_if", "", (2, 3), name_prefix="set", make=_set(1)),
    Aggregate("make_bag", "", (1,), name_prefix="bag", make=_make_bag),
    Aggregate("count_distinct", "", (1,), make=lambda args: f"count(DISTINCT {args[0]})"),
    Aggregate("count_distinctif", "", (2,), make=lambda args: f"count(DISTINCT {args[0]}) FILTER (WHERE {args[1]})"),
    Aggregate("minif", "", (2,), make=lambda args: f"min({args[0]}) FILTER (WHERE {args[1]})"),
    Aggregate("maxif", "", (2,), make=lambda args: f"max({args[0]}) FILTER (WHERE {args[1]})"),
)
