"""Invented activities: one of each documented type, and any JSON object that looks a little like one."""

from typing import Any

from hypothesis import strategies as st

from shared.streams.activity import catalogue
from shared.streams.activity.columns import columns_by_field
from shared.streams.activity.mapping import plan_for

USER = {
    "type": "user_actor",
    "user_id": "user_01Example0000000000001",
    "email_address": "ann@contoso.example",
    "ip_address": "198.51.100.17",
    "user_agent": "Mozilla/5.0 (test)",
}

_BOOLEANS_TEXT = """
    enabled is_enabled enforced is_active approved compliance_api_enabled magic_link_enabled is_public failed
    rotated current_value previous_value previous_enabled
"""
_BOOLEANS = frozenset(_BOOLEANS_TEXT.split())
_WORDS: dict[str, Any] = {
    "updates": [{"type": "name", "previous_value": "old", "current_value": "new"}],
    "updated_fields": ["display_name"],
    "audience": [{"type": "organization"}],
    "scope": {"type": "workspace", "workspace_id": "wrkspc_01Example0000000001"},
    "resource_details": {"type": "message", "id": "msg_01Example", "parent": None},
    "status": {"outcome": "failure", "reason": "expired"},
    "member_ids": ["user_01Example0000000000002"],
    "scopes": ["read"],
    "principal_type": "user",
    "target_type": "group",
    "comment_action": "delete_thread",
    "action": "removed",
    "outcome": "failure",
    "status_code": 500,
}


def documented(field: str) -> Any:
    """A value such as the API documents for a field of this name."""
    if field in _WORDS:
        return _WORDS[field]
    if field in _BOOLEANS:
        return True
    if columns_by_field().get(field, (0, ""))[1] == "ItemCount" or field.endswith("_count"):
        return 3
    return f"{field}_01Example"


def documented_activity(type_name: str) -> dict[str, Any]:
    """An activity of the type with every field the catalogue knows of it."""
    return {
        "id": "activity_01Example",
        "type": type_name,
        "created_at": "2026-10-05T09:14:03.120934Z",
        "organization_id": "org_01Example",
        "organization_uuid": "5d1f7c10-0000-4000-8000-0000000000c1",
        "actor": USER,
        **{field: documented(field) for field in sorted(catalogue.load().types[type_name].fields)},
    }


_TYPES = sorted(catalogue.load().types)
_FIELDS = sorted({field for entry in catalogue.load().types.values() for field in entry.fields})
_ACTORS = catalogue.load().actors
_ACTOR_FIELDS = sorted({field for entry in _ACTORS.values() for field in entry.fields | {entry.id or "user_id"}})

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)
_plain = st.sampled_from(["user_01A", "admin_api_key_01A", "", "group", "user", "failure", "A b,c", "0.0.0.0"])
_updates = st.lists(
    st.dictionaries(st.sampled_from(["type", "previous_value", "current_value", "member_count"]), leaves, max_size=4),
    max_size=3,
)
_likely = st.one_of(_plain, st.sampled_from([True, 3, None, ["a", "b"], [1, "a"], [], {}, 2.0, 2**40]), values)
_times = st.sampled_from(
    ["2026-10-05T09:14:03.120934Z", "2026-10-05T09:14:03Z", "2026-10-05T09:14:03.000000Z", "2026-10-05 09:14", "soon"]
)
# Most types are plain: those with shapes or steps of their own are where a law could break.
_RICH = [name for name in _TYPES if (plan := plan_for(name, True)).steps or plan.shaped]
_names = st.sampled_from(_RICH) | st.sampled_from(_TYPES)
_actor_odd = st.sampled_from(["future_actor", "", None, 7, ["user_actor"]])


@st.composite
def actors(draw: st.DrawFn) -> dict[str, Any]:
    """An actor of a documented kind, mostly, with its own fields, mostly, and others' now and then."""
    kind = draw(st.sampled_from(sorted(_ACTORS)))
    entry = _ACTORS[kind]
    own = sorted(entry.fields | ({entry.id} if entry.id else set()))
    fields = {field: draw(_plain | values) for field in own if draw(st.integers(0, 4))}
    for field in draw(st.lists(st.sampled_from(_ACTOR_FIELDS) | words, max_size=2)):
        fields[field] = draw(_plain | values)
    if "provider" in fields and draw(st.booleans()):
        fields["provider"] = {"type": "aws", "signed_principal": draw(_plain)}
    return {**fields, "type": draw(_actor_odd)} if draw(st.integers(0, 9)) == 0 else {**fields, "type": kind}


@st.composite
def activities(draw: st.DrawFn) -> dict[str, Any]:
    """Any JSON object, biased to the types and fields the catalogue knows, each likely to be wrong in some way."""
    name = draw(_names)
    own = sorted(catalogue.load().types[name].fields)
    # Fields of the same columns as the type's own are the tempting ones to confuse.
    rivals = [rival for field in own for rival in _RIVALS.get(field, ())] or _FIELDS
    activity = {field: draw(_updates if field == "updates" else _likely) for field in own if draw(st.integers(0, 3))}
    for field in draw(st.lists(st.sampled_from(rivals) | st.sampled_from(_FIELDS) | words, max_size=3)):
        activity[field] = draw(_likely)
    frame = {
        "id": st.just("activity_01A") | _likely,
        "type": st.just(name) | st.just(name) | st.just(name) | st.just("future_type_enabled") | values,
        "created_at": _times | values,
        "organization_id": _plain | values,
        "actor": actors() | actors() | actors() | values,
    }
    for field, strategy in frame.items():
        if draw(st.integers(0, 9)):
            activity[field] = draw(strategy)
    return activity


_RIVALS = {field: fields for fields in catalogue.load().columns.values() for field in fields if len(fields) > 1}
