"""The law of the fold, for any JSON object: nothing is lost, nothing is invented, every cell is a column's."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import tables
from shared.rows.canonical import canonical, encode
from shared.rows.limits import CELL_LIMIT_BYTES
from shared.streams.activity import catalogue
from shared.streams.activity.fold import RowContext, fold, unfold
from shared.streams.activity.mapping import plan_for
from tests.session import examples

from .samples import activities, documented_activity

AT = datetime(2026, 10, 5, 9, 20, tzinfo=UTC)
OPEN = RowContext("contoso", "run-1", "0.1.0", "live", False, AT, content_names=True)
CLOSED = RowContext("contoso", "run-1", "0.1.0", "live", False, AT)
COLUMNS = {column.name: column.type for column in tables.load(tables.ACTIVITY).columns}
PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "int": (int,),
    "long": (int,),
    "boolean": (bool,),
    "dynamic": (dict, list),
}
TYPES = sorted(catalogue.load().types)


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: unlike ==, 1 is neither true nor 1.0."""
    return canonical(left) == canonical(right)


def as_queried(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the query API gives it: every column, absent strings empty, dynamic cells as JSON text."""
    cells: dict[str, Any] = {}
    for name, kind in COLUMNS.items():
        cell = row.get(name, "" if kind in ("string", "dynamic") else None)
        cells[name] = encode(cell).decode() if kind == "dynamic" and cell != "" else cell
    cells["EventTime"] = cells["EventTime"].replace("000Z", "Z")  # Kusto drops zeros at the end of a fraction
    return cells


@settings(max_examples=examples(300))
@given(activity=activities())
def test_unfold_gives_the_activity_back(activity: dict[str, Any]) -> None:
    """Whatever JSON object arrives, its row holds all of it and nothing else."""
    row = fold(activity, OPEN).row
    assert same(unfold(msgspec.json.decode(encode(row))), activity)


@settings(max_examples=examples(120))
@given(activity=activities())
def test_the_queried_row_gives_the_activity_back(activity: dict[str, Any]) -> None:
    """The law survives the workspace, which cannot tell an empty string from an absent one."""
    assert same(unfold(as_queried(fold(activity, OPEN).row)), activity)


@settings(max_examples=examples(120))
@given(activity=activities())
def test_without_content_names_only_they_are_missing(activity: dict[str, Any]) -> None:
    """Withholding replaces the named fields by null and touches nothing else."""
    row = fold(activity, CLOSED).row
    hidden = dict.fromkeys(row.get("Handling", {}).get("withheld", ()))
    assert same(unfold(row), {**activity, **hidden})


@settings(max_examples=examples(200))
@given(activity=activities(), names=st.booleans())
def test_every_cell_is_a_column_of_its_type_and_fits(activity: dict[str, Any], names: bool) -> None:
    """A row has no key the table lacks, no value of another type and no cell over the limit."""
    for name, cell in fold(activity, OPEN if names else CLOSED).row.items():
        assert type(cell) in PYTHON[COLUMNS[name]], name
        assert len(encode(cell)) <= CELL_LIMIT_BYTES
        if COLUMNS[name] == "datetime":
            assert len(cell) == len("2026-10-05T09:14:03.120934Z")


@settings(max_examples=examples(100))
@given(activity=activities())
def test_folding_does_not_touch_the_activity(activity: dict[str, Any]) -> None:
    """The caller's activity is the same before and after."""
    before = canonical(activity)
    fold(activity, CLOSED)
    assert canonical(activity) == before


@pytest.mark.parametrize("type_name", TYPES)
def test_every_documented_type_keeps_the_law(type_name: str) -> None:
    """An activity with all documented fields of its type comes back and is no news."""
    activity = documented_activity(type_name)
    folded = fold(activity, OPEN)
    assert same(unfold(folded.row), activity)
    assert (folded.unknown_type, folded.unknown_actor, folded.unknown_fields) == (None, None, ())


@pytest.mark.parametrize("content_names", [True, False])
def test_no_two_fields_own_one_column(content_names: bool) -> None:
    """In every plan a field has one column and a column one field: without that there is no way back."""
    for type_name in TYPES:
        plan = plan_for(type_name, content_names)
        columns = [*plan.strings.values(), *(column for column, _ in plan.shaped.values())]
        assert len(columns) == len(set(columns)) == len(plan.owners)
        assert not plan.constants.keys() & plan.owners.keys()


def test_most_documented_fields_reach_a_column() -> None:
    """At least 83 of 100 uses of a documented field can be seen in a column, not in Details alone."""
    uses = seen = 0
    for type_name in TYPES:
        whole = documented_activity(type_name)
        columns = analysts_columns(whole)
        for field in catalogue.load().types[type_name].fields:
            uses += 1
            seen += columns != analysts_columns({name: whole[name] for name in whole if name != field})
    assert uses > 1200
    assert seen / uses >= 0.83, f"{seen} of {uses}"


def analysts_columns(activity: dict[str, Any]) -> dict[str, Any]:
    """The row without the columns that hold everything anyway."""
    row = fold(activity, OPEN).row
    return {name: cell for name, cell in row.items() if name not in ("Details", "RecordHash")}
