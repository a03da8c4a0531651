"""The activity table's file: names and types that the service accepts, sources that the API documents."""

import re

import pytest

from shared import tables
from shared.streams.activity import catalogue
from shared.streams.activity.mapping import plan_for
from shared.tables import Column

TABLE = tables.load(tables.ACTIVITY)
_RESERVED_TEXT = """
    id Title Type TenantId UniqueId BilledSize IsBillable InvalidTimeGenerated _ItemId _ResourceGroup
    _ResourceId _SubscriptionId _TimeReceived MG ManagementGroupName SourceSystem Computer
"""
RESERVED = frozenset(_RESERVED_TEXT.split())
CONTENT = {"filename", "title"}


def documented() -> set[str]:
    """Every field the catalogue knows, the actor's with `actor.` before them."""
    known = catalogue.load()
    fields = {field for entry in known.types.values() for field in entry.fields}
    actors = {f"actor.{field}" for entry in known.actors.values() for field in (*entry.fields, entry.id) if field}
    return fields | actors | {"id", "type", "created_at", "organization_id", "organization_uuid", "actor.type"}


def test_head() -> None:
    """The table is the one the design names, filled through its own stream."""
    assert (TABLE.name, TABLE.stream, len(TABLE.columns)) == ("ClaudeActivity_CL", "Custom-ClaudeActivity_CL", 60)


@pytest.mark.parametrize("column", TABLE.columns, ids=lambda column: column.name)
def test_column(column: Column) -> None:
    """A name the service takes, a meaning in a sentence, and sources that exist."""
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{1,44}", column.name)
    assert column.name not in RESERVED
    assert column.meaning.endswith(".")
    assert 1 <= column.since <= TABLE.version
    for source in column.sources:
        head = ".".join(source.split(".")[:2]) if source.startswith("actor.") else source.split(".")[0]
        assert source == "bridge" or head in documented(), source


def test_names_are_unique_whatever_the_case() -> None:
    """Two names that differ in case only lose data on some table plans."""
    assert len({name.lower() for name in TABLE.names}) == len(TABLE.names)


def test_the_service_s_own_column_is_there() -> None:
    """A custom table cannot be without TimeGenerated."""
    assert {column.name: column.type for column in TABLE.columns}["TimeGenerated"] == "datetime"


def test_sources_name_every_field_that_fills_the_column() -> None:
    """Who reads where a column comes from is told all of it."""
    sources = {column.name: set(column.sources) for column in TABLE.columns}
    for type_name in catalogue.load().types:
        plan = plan_for(type_name, True)
        for column, field in plan.owners.items():
            assert field in sources[column], (type_name, column)
        for origin, target in plan.copies:
            assert plan.owners[origin] in sources[target], (type_name, target)


def test_names_of_content_are_marked() -> None:
    """A column that may hold a file's name says so by its sensitivity."""
    holders = [column for column in TABLE.columns if CONTENT & set(column.sources)]
    assert [(column.name, column.sensitivity) for column in holders] == [("ObjectName", "content-name")]
