"""The ASIM functions keep their schemas, over one activity of every type there is."""

import json
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from sentinel.tools.check.bind import Bound, bind
from sentinel.tools.load import content
from sentinel.tools.load.models import Case
from sentinel.tools.load.problems import ROOT
from sentinel.tools.prove.cases import world
from sentinel.tools.prove.stage import stage
from shared.streams.activity import catalogue

ASIM: dict[str, Any] = json.loads((ROOT / "schemas" / "asim.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = ASIM["schemas"]
TYPES = catalogue.load().types
ACTORS = ("ana", "anonymous:ana", "api_key:x", "service_account:x", "scim", "anthropic", "system", "workload:x")
NO_FILTER = {"eventresult": "'*'", "disabled": "false", "pack": "false"}


def function(kind: str, schema: str) -> str:
    return f"{kind}{schema}AnthropicClaudeEnterprise"


def filtered(schema: str, **filters: str) -> str:
    """A call of the filtering form: arguments by position, as the local engine wants them."""
    name = function("vim", schema)
    names = [one.split(":")[0].strip() for one in content.parsers()[name].parameters.split(", ")]
    empty = {one: "datetime(null)" if one in ("starttime", "endtime") else "dynamic([])" for one in names}
    assert filters.keys() <= set(names)
    return f"{name}({', '.join({**empty, **NO_FILTER, **filters}[one] for one in names)})"


@cache
def bound() -> dict[str, Bound]:
    return bind({function(kind, schema): function(kind, schema) for schema in SCHEMAS for kind in ("ASim", "vim")})


@cache
def rows(schema: str) -> list[dict[str, Any]]:
    """The answer of the unfiltered form to one activity of every type, by different actors."""
    everything()
    return stage().ask(function("ASim", schema)).objects()


def everything() -> None:
    """Sets the stage with one activity of every type, `activity_0001` first in the order of types."""
    actors = {name: ACTORS[index % len(ACTORS)] for index, name in enumerate(sorted(TYPES))}
    activities = [{"type": name, "actor": actor} for name, actor in actors.items()]
    case = Case(name="all", fires=True, activities=activities)
    stage().set(world(case), [], timedelta(days=1))


def wanted(schema: str, key: str) -> dict[str, Any]:
    return {**ASIM["common"][key], **SCHEMAS[schema][key]}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_columns_are_those_of_the_schema(schema: str) -> None:
    """Both forms bind, have every mandatory and recommended field with its type, and give the same columns."""
    plain, vim = bound()[function("ASim", schema)], bound()[function("vim", schema)]
    assert not plain.complaints and not vim.complaints
    assert plain.columns == vim.columns
    for name, type_ in {**wanted(schema, "mandatory"), **wanted(schema, "recommended")}.items():
        assert plain.columns.get(name) == type_, name


@pytest.mark.parametrize("schema", SCHEMAS)
def test_values_are_those_of_the_schema(schema: str) -> None:
    """Over every type there is, mandatory fields are filled and enumerated ones hold allowed values."""
    answer = rows(schema)
    assert answer
    for row in answer:
        for name in wanted(schema, "mandatory"):
            assert row[name] not in ("", None), (row["EventOriginalType"], name)
        for name, allowed in wanted(schema, "values").items():
            assert name not in row or row[name] in allowed, (row["EventOriginalType"], name, row[name])
        assert row["EventSchema"] == schema and row["EventSchemaVersion"] == SCHEMAS[schema]["version"]


def test_every_type_of_a_class_is_there() -> None:
    """Signing in and out is Authentication; every other type is in one of the others at least."""
    seen = {schema: {row["EventOriginalType"] for row in rows(schema)} for schema in SCHEMAS}
    assert seen["Authentication"] == {name for name, entry in TYPES.items() if entry.operation in ("SignIn", "SignOut")}
    assert set().union(*seen.values()) == TYPES.keys()
    assert not seen["AuditEvent"] & (seen["Authentication"] | seen["UserManagement"])


def test_what_failed_is_a_failure() -> None:
    """Every type that ends in `_failed` is EventResult Failure wherever it appears."""
    answers = [row for schema in SCHEMAS for row in rows(schema)]
    failed = [row for row in answers if row["EventOriginalType"].endswith("_failed")]
    assert {row["EventOriginalType"] for row in failed} == {name for name in TYPES if name.endswith("_failed")}
    assert {row["EventResult"] for row in failed} == {"Failure"}


@pytest.mark.parametrize(
    ("schema", "filters", "column", "values"),
    [
        ("Authentication", {"eventtype_in": 'dynamic(["Logoff"])'}, "EventType", {"Logoff"}),
        ("Authentication", {"eventresult": "'Failure'"}, "EventResult", {"Failure"}),
        ("Authentication", {"username_has_any": 'dynamic(["ana"])'}, "TargetUsername", {"ana@example.com", "user_ana"}),
        ("AuditEvent", {"operation_has_any": 'dynamic(["org_sso_toggled"])'}, "Operation", {"org_sso_toggled"}),
        ("AuditEvent", {"eventtype_in": 'dynamic(["Execute"])'}, "EventType", {"Execute"}),
        ("AuditEvent", {"srcipaddr_has_any_prefix": 'dynamic(["192.0.2."])'}, "SrcIpAddr", {"192.0.2.10"}),
        ("UserManagement", {"eventtype_in": 'dynamic(["GroupDeleted"])'}, "EventOriginalType", {"group_deleted"}),
        ("AgentEvent", {"username_has_any": 'dynamic(["svac_x"])'}, "ActorUserId", {"svac_x"}),
    ],
)
def test_a_filter_keeps_what_it_names(schema: str, filters: dict[str, str], column: str, values: set[str]) -> None:
    """A filter leaves some rows, all of them with the value asked for, and takes some away."""
    everything()
    answer = stage().ask(filtered(schema, **filters)).objects()
    assert answer and {row[column] for row in answer} <= values
    assert len(answer) < len(rows(schema))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_nothing_passes_when_it_is_disabled_or_too_old(schema: str) -> None:
    """`disabled` and a time range in the past leave no rows."""
    everything()
    assert not stage().ask(filtered(schema, disabled="true")).rows
    assert not stage().ask(filtered(schema, endtime="ago(1h)")).rows
    assert len(stage().ask(filtered(schema, starttime="ago(1h)")).rows) == len(rows(schema))


def test_types_can_be_asked_for_before_or_after() -> None:
    """ClaudeActivity(types) gives the rows that ClaudeActivity gives for these types, copies removed from both."""
    case = Case(
        name="copies",
        fires=True,
        activities=[
            {"type": "org_sso_toggled", "actor": "ana", "enabled": False, "id": "activity_a"},
            {"type": "org_sso_toggled", "actor": "ana", "enabled": False, "id": "activity_a", "ingested": "0s"},
            {"type": "claude_chat_created", "actor": "ana", "id": "activity_b"},
        ],
    )
    one = stage()
    one.set(world(case), [], timedelta(days=1))
    types = 'dynamic(["org_sso_toggled"])'
    before = one.parsed(f"ClaudeActivity({types})").objects()
    after = one.parsed(f"ClaudeActivity | where ActivityType in ({types})").objects()
    assert before == after and [row["ActivityId"] for row in before] == ["activity_a"]
