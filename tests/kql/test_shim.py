"""The added functions reproduce the examples of their documentation (https://learn.microsoft.com/kusto/query/NAME-function)."""

import hashlib
from typing import Any

import pytest

from kql import KqlRefused
from tests.kql.workspace_world import workspace

NUMBERS = "let T = datatable(k:string, n:long)['a', 3, 'b', 1, 'a', 3, 'c', 2, 'b', long(null)];\nT "


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ipv4_is_in_range('192.168.1.6', '192.168.1.1/24')", True),
        ("ipv4_is_in_range('127.0.0.1', '127.0.0.1')", True),
        ("ipv4_is_in_range('8.8.8.8', '127.0.0.1')", False),
        ("ipv4_is_in_range('203.0.113.9', '0.0.0.0/0')", True),
        ("ipv4_is_in_range('abc', '127.0.0.1')", None),
        ("ipv4_is_in_range('127.0.0.256', '127.0.0.1/8')", None),
        ("ipv4_is_in_range('127.0.0.1', '127.0.0.1/33')", None),
        ("ipv4_is_private('192.168.1.1/24')", True),
        ("ipv4_is_private('10.1.2.3/24')", True),
        ("ipv4_is_private('172.31.255.255')", True),
        ("ipv4_is_private('172.32.0.0')", False),
        ("ipv4_is_private('202.1.2.3')", False),
        ("ipv4_is_private('127.0.0.1')", False),
        ("ipv4_is_private('')", None),
        ("has_ipv4('05:04:54 127.0.0.1 GET /favicon.ico 404', '127.0.0.1')", True),
        ("has_ipv4('05:04:54 127.0.0.256 GET /favicon.ico 404', '127.0.0.256')", False),
        ("has_ipv4('05:04:54127.0.0.1 GET /favicon.ico 404', '127.0.0.1')", False),
        ("has_any_ipv4_prefix('05:04:54 127.0.0.1 GET /favicon.ico 404', dynamic(['127.0.', '192.168.']))", True),
        ("has_any_ipv4_prefix('05:04:54 127.0.0.1 GET /favicon.ico 404', dynamic(['192.168.']))", False),
        ("has_any_ipv4_prefix('05:04:54127.0.0.1 GET', dynamic(['127.0.']))", False),
        ("has_any_ipv4_prefix('127.0.0.1', dynamic([]))", False),
        ("set_difference(dynamic([1, 2, 3, 3]), dynamic([2]))", [1, 3]),
        ("set_difference(dynamic([1, 2, 4]), dynamic([2]), dynamic([4, 1]))", []),
        ("set_difference(dynamic(['a', 'b']), dynamic([]))", ["a", "b"]),
        ("set_intersect(dynamic([1, 2, 3, 3]), dynamic([3, 2, 9]))", [2, 3]),
        ("set_intersect(dynamic([1, 2]), dynamic([2, 1]), dynamic([2]))", [2]),
        ("set_union(dynamic([1, 2]), dynamic([2, 3]))", [1, 2, 3]),
        ("bag_keys(dynamic({'a':'b', 'c':{'d':123}}))", ["a", "c"]),
        ("bag_keys(dynamic({}))", []),
        ("bag_keys(dynamic('a'))", []),
        ("bag_keys(dynamic(null))", None),
        ("bag_merge(dynamic({'A1':12, 'B1':2}), dynamic({'C1':null}))", {"A1": 12, "B1": 2, "C1": None}),
        ("format_timespan(time(14:02:03.12345), 'h:m:s.fffffff')", "14:2:3.1234500"),
        ("format_timespan(time(29.09:00:05.12345), 'dd.hh:mm:ss:FF')", "29.09:00:05:12"),
        ("format_timespan(time(29.09:00:05.12345), 'ddd.h:mm:ss [fffffff]')", "029.9:00:05 [1234500]"),
        ("format_timespan(1h, 'mm:ss.FFF')", "00:00."),
    ],
)
def test_a_scalar_matches_its_documentation(expression: str, value: Any) -> None:
    """The documented examples, and edge cases."""
    assert workspace().query(f"print {expression}").rows == [(value,)]


@pytest.mark.parametrize(
    ("summary", "row"),
    [
        ("make_set(k)", (["a", "b", "c"],)),
        ("make_set(k, 2)", (["a", "b"],)),
        ("make_list(n)", ([3, 1, 3, 2],)),
        ("make_list(n, 3)", ([3, 1, 3],)),
        ("make_list_if(k, n == 3)", (["a", "a"],)),
        ("make_list_if(k, n > 0, 1)", (["a"],)),
        ("make_set_if(k, n == 3)", (["a"],)),
        ("make_set_if(k, n > 100)", ([],)),
        ("make_set(pack_array(k, 'z'))", (["a", "z", "b", "c"],)),
        ("count_distinct(n), count_distinctif(k, n == 3)", (3, 1)),
        ("minif(n, k == 'b'), maxif(n, k == 'c')", (1, 2)),
        ("make_bag(bag_pack(k, 1))", ({"a": 1, "b": 1, "c": 1},)),
    ],
)
def test_an_aggregate_matches_its_documentation(summary: str, row: tuple[Any, ...]) -> None:
    """Nulls are skipped, limits apply, arrays are merged into a set."""
    (answer,) = workspace().query(f"{NUMBERS}| summarize {summary}").rows
    assert [sorted(cell, key=str) if isinstance(cell, list) and "set" in summary else cell for cell in answer] == [
        sorted(cell, key=str) if isinstance(cell, list) and "set" in summary else cell for cell in row
    ]


def test_an_aggregate_is_named_as_kusto_names_it() -> None:
    """make_set(k) is set_k, make_list(k) list_k, make_bag(b) bag_b."""
    answer = workspace().query(
        f"{NUMBERS}| extend b = bag_pack(k, 1) | summarize make_set(k), make_list(k), make_bag(b)"
    )
    assert answer.names == ("set_k", "list_k", "bag_b")


def test_bag_merge_does_not_merge_nested_values() -> None:
    """Bags are merged by top-level key only."""
    answer = workspace().query("print bag_merge(dynamic({'a':{'x':1}}), dynamic({'b':[1]}), dynamic({'c':'t'}))")
    assert answer.rows == [({"a": {"x": 1}, "b": [1], "c": "t"},)]


def test_window_functions_follow_the_sort() -> None:
    """prev, next, row_number and row_cumsum follow the sort, over more rows than one block of DuckDB."""
    rows = [{"Size": (number * 7919) % 20_000} for number in range(20_000)]
    answer = workspace(*rows).query(
        "Sample_CL | sort by Size asc"
        " | extend P = prev(Size), N = next(Size, 2, -1), R = row_number(), C = row_cumsum(Size)"
        " | where Size in (0, 1, 19999) or P != Size - 1 | project Size, P, N, R, C"
    )
    assert answer.rows == [(0, None, 2, 1, 0), (1, 0, 3, 2, 1), (19_999, 19_998, -1, 20_000, sum(range(20_000)))]


def test_row_number_may_start_anywhere() -> None:
    """row_number(0) counts from zero."""
    assert workspace().query(f"{NUMBERS}| sort by k asc | extend R = row_number(0) | summarize max(R)").rows == [(4,)]


def test_an_unknown_format_element_is_an_error() -> None:
    """An unknown format element fails instead of giving wrong text."""
    with pytest.raises(KqlRefused, match="no format element 'x'"):
        workspace().query("print format_timespan(1h, 'hh x')")


def test_the_proof_digest_is_the_same_in_kql_and_python() -> None:
    """design.md section 4: the sum of the first 40 bits of SHA-256 of the ids agrees with Python's."""
    ids = [f"activity_{number:04}" for number in range(500)]
    expected = sum(int(hashlib.sha256(each.encode()).hexdigest()[:10], 16) for each in ids)
    answer = workspace(*({"Id": each} for each in ids)).query(
        "Sample_CL | summarize n = count(), d = sum(tolong(strcat('0x', substring(hash_sha256(Id), 0, 10))))"
    )
    assert answer.rows == [(500, expected)]
    assert answer.columns == (("n", "long"), ("d", "long"))
