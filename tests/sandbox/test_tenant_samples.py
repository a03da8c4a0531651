"""The catalogue of types, and one well-formed sample of each."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.activity import feed_entry
from sandbox.tenant import samples
from sandbox.tenant.catalogue import Shape, activity_types, settings
from sandbox.tenant.values import BLANKED

AT = datetime(2026, 10, 9, 8, tzinfo=UTC)
SAMPLES = {activity["type"]: activity for activity in samples(at=AT)}


def fits(value: Any, shape: Shape) -> bool:
    """Whether `value` is what `shape` describes."""
    if value is None:
        return shape.nullable
    match shape.kind:
        case "string":
            return isinstance(value, str) and value != ""
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "enum":
            return value in shape.options
        case "array":
            assert shape.inner is not None
            return isinstance(value, list) and bool(value) and all(fits(item, shape.inner) for item in value)
        case "object":
            known = {field.name: field for field in shape.members}
            missing = any(field.required and field.name not in value for field in shape.members)
            return not missing and all(fits(item, known[name].shape) for name, item in value.items())
        case "map":
            inner = shape.inner
            assert inner is not None
            return isinstance(value, dict) and all(fits(item, inner) for item in value.values())
        case "setting":
            return value["type"] in settings(shape.options[0])
        case "unknown":
            return True


def test_catalogue_holds_every_documented_type() -> None:
    """527 types, 55 of them with fields the reference does not name, and the settings inside `updates[]`."""
    types = activity_types()
    assert len(types) == 527
    assert sum(not kind.complete for kind in types.values()) == 55
    assert (len(settings("organization")), len(settings("user"))) == (73, 22)


def test_the_notation_is_parsed() -> None:
    """A field's presence, nullability, closed list and nested members come out of its one line."""
    kind = activity_types()["ccr_agent_proxy_credential_deleted"]
    basis = next(field for field in kind.fields if field.name == "authorization_basis")
    assert not basis.required and basis.shape.nullable and basis.shape.kind == "object"
    roles = next(member for member in basis.shape.members if member.name == "granting_role_ids")
    assert not roles.required and roles.shape.kind == "array"
    policies = {field.name: field.shape for field in activity_types()["group_visibility_updated"].fields}["policies"]
    assert policies.inner is not None
    assert policies.inner.members[0].shape.options == ("everyone", "members", "none", "unspecified")


def test_the_id_a_type_is_named_after() -> None:
    """The id that a type creates is distinguished from ids it only mentions."""
    types = activity_types()
    assert types["platform_federation_rule_created"].own_id == "federation_rule_id"
    assert types["claude_chat_snapshot_created"].own_id == "claude_chat_snapshot_id"
    assert types["org_sso_toggled"].own_id is None


@pytest.mark.parametrize("name", list(activity_types()))
def test_sample_has_its_documented_fields(name: str) -> None:
    """Each sample carries all documented fields of its type in the documented shape; blanked names are null."""
    activity = SAMPLES[name]
    for field in activity_types()[name].fields:
        assert field.name in activity
        if field.name in BLANKED:
            assert activity[field.name] is None
        else:
            assert fits(activity[field.name], field.shape), (field.name, activity[field.name])


def test_samples_are_feed_entries_and_reproducible() -> None:
    """Samples index as feed entries in catalogue order, with unique ids, and the seed decides them."""
    entries = [feed_entry(activity) for activity in SAMPLES.values()]
    assert len({entry.id for entry in entries}) == 527
    assert entries == sorted(entries, key=lambda entry: entry.created_at)
    assert list(samples(at=AT)) == list(SAMPLES.values())
    assert next(samples(seed=8, at=AT)) != next(samples(at=AT))


def test_samples_show_all_documented_actors() -> None:
    """Together the samples have all eleven actor shapes."""
    assert len({activity["actor"]["type"] for activity in SAMPLES.values()}) == 11


def test_samples_of_chosen_types() -> None:
    """Selected types come in the given order; an unknown one is a KeyError."""
    chosen = ["org_sso_toggled", "claude_chat_created", "org_sso_toggled"]
    assert [activity["type"] for activity in samples(at=AT, types=chosen)] == chosen
    with pytest.raises(KeyError):
        list(samples(at=AT, types=["claude_canvas_opened"]))
