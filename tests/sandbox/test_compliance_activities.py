"""Parameters, envelope and 400s of the Activity Feed (compliance-api.md sections 1, 4, 5, 6 and 18)."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from sandbox.activity import raw_entry
from tests.sandbox.compliance_world import LOCAL, NOON, World, activity, entry, minutes_before_noon, said

UNKNOWN_TO_US = b'{"id": "activity_01FAKEfuture", "type": "some_future_type",  "n": 1.50, "actor": {"type": "new"}}'


async def test_the_default_page_is_the_newest_hundred() -> None:
    """Section 6.1: without parameters the newest 100 come first, and there is more."""
    world = World(*minutes_before_noon(130))
    page = (await world.get()).json()
    assert [each["id"] for each in page["data"]] == [f"activity_01{number:05d}" for number in range(129, 29, -1)]
    assert page["has_more"] is True


async def test_the_envelope_has_four_fields() -> None:
    """Sections 6.2 and 18: data, has_more, first_id and last_id, and nothing else."""
    page = (await World(entry(1, NOON)).get()).json()
    assert list(page) == ["data", "has_more", "first_id", "last_id"]
    assert page["data"] == [activity(1, NOON)]


async def test_an_empty_page_has_null_cursors() -> None:
    """Section 18: the documented empty page, word for word."""
    response = await World().get()
    assert response.json() == {"data": [], "has_more": False, "first_id": None, "last_id": None}


async def test_bodies_are_served_as_the_bytes_they_are() -> None:
    """Section 6.3: unknown types and actors pass through; even the spacing is unchanged."""
    world = World(raw_entry(UNKNOWN_TO_US, at=NOON, id="activity_01FAKEfuture"))
    assert UNKNOWN_TO_US in (await world.get()).content


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_cursors_of_the_envelope_walk_the_feed(order: str) -> None:
    """Sections 5 and 6.1: last_id as after_id pages forward, first_id as before_id backward, both relative to order."""
    world = World(*minutes_before_noon(7))
    first = (await world.get(order=order, limit=3)).json()
    second = (await world.get(order=order, limit=3, after_id=first["last_id"])).json()
    third = (await world.get(order=order, limit=3, after_id=second["last_id"])).json()
    seen = [each["id"] for page in (first, second, third) for each in page["data"]]
    assert seen == sorted(seen, reverse=order == "desc") and len(set(seen)) == 7
    assert (first["has_more"], second["has_more"], third["has_more"]) == (True, True, False)
    back = (await world.get(order=order, limit=3, before_id=second["first_id"])).json()
    assert (back["data"], back["has_more"]) == (first["data"], False)


async def test_a_cursor_is_opaque_and_an_id_is_accepted_too() -> None:
    """Section 16 and live-api-notes 3: cursors are base64, and the raw id of an activity works as one."""
    world = World(*minutes_before_noon(3))
    page = (await world.get(order="asc", limit=1)).json()
    padded = page["last_id"] + "=" * (-len(page["last_id"]) % 4)
    assert b"activity_0100000" in base64.urlsafe_b64decode(padded)
    assert await world.ids(order="asc", after_id="activity_0100000") == ["activity_0100001", "activity_0100002"]


async def test_a_cursor_survives_key_rotation() -> None:
    """Section 2.2: cursors belong to the organization, not to the key."""
    world = World(*minutes_before_noon(2))
    cursor = (await world.get(limit=1)).json()["last_id"]
    assert await world.ids(key="sk-ant-api01-auditor", after_id=cursor) == ["activity_0100000"]


async def test_types_can_be_chosen_or_excluded() -> None:
    """Section 6.1: activity_types[] keeps, exclude_activity_types[] drops; both may be repeated."""
    world = World(*(entry(number, NOON, type=name) for number, name in enumerate("abc")))
    assert await world.ids(activity_types_=["a", "c"]) == ["activity_0100002", "activity_0100000"]
    assert await world.ids(exclude_activity_types_=["a", "c"]) == ["activity_0100001"]


async def test_user_ids_and_actor_ids_are_one_list() -> None:
    """Section 6.1: user_ids[] is an alias of actor_ids[], the lists are merged; only user ids match."""
    people = ["user_01a", "user_01b", "user_01c"]
    world = World(
        *(entry(number, NOON, actor={"type": "user_actor", "user_id": name}) for number, name in enumerate(people)),
        entry(7, NOON, actor={"type": "api_actor", "api_key_id": "apikey_01x"}),
    )
    assert await world.ids(actor_ids_="user_01a", user_ids_="user_01c") == ["activity_0100002", "activity_0100000"]
    assert await world.ids(actor_ids_="apikey_01x") == []


async def test_an_organization_filter_lets_the_homeless_through() -> None:
    """Section 2.3 and live-api-notes 8: either spelling works, and rows with null organization are returned too."""
    world = World(
        entry(1, NOON),
        entry(2, NOON, organization_id="org_01B", organization_uuid="uuid-b"),
        entry(3, NOON, organization_id=None, organization_uuid=None),
    )
    for spelling in ("org_01B", "uuid-b"):
        assert await world.ids(organization_ids_=spelling) == ["activity_0100003", "activity_0100002"]


async def test_a_single_organization_key_sees_its_own() -> None:
    """Section 2.3: such a key returns that organization only; naming another is a 403 (live-api-notes 6)."""
    world = World(entry(1, NOON), entry(2, NOON, organization_id="org_01B", organization_uuid="uuid-b"))
    assert await world.ids(key=LOCAL) == ["activity_0100001"]
    status, kind, message = said(await world.get(key=LOCAL, organization_ids_="org_01B"))
    assert (status, kind) == (403, "permission_error")
    assert "scopes" not in message


async def test_times_are_read_with_their_offset() -> None:
    """Section 1: RFC 3339 with an explicit offset; two spellings of one moment are the same bound."""
    world = World(*minutes_before_noon(3))
    for spelling in ("2026-10-05T11:58:00Z", "2026-10-05T13:58:00.000+02:00"):
        assert await world.ids(created_at__gte=spelling) == ["activity_0100002", "activity_0100001"]
        assert await world.ids(created_at__lt=spelling) == ["activity_0100000"]


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "5001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"order": "newest"}, "order"),
        ({"created_at.gte": "yesterday"}, "created_at.gte"),
        ({"created_at.gte": "2026-10-05"}, "created_at.gte"),
        ({"created_at.lt": "2026-10-05T12:00:00"}, "created_at.lt"),
        ({"created_at.gt": "2026-02-30T12:00:00Z"}, "created_at.gt"),
        ({"created_at.lte": "0001-01-01T00:00:00+02:00"}, "created_at.lte"),
        ({"after_id": "not-a-cursor"}, "after_id"),
        ({"after_id": "activity_01neverseen"}, "after_id"),
        ({"after_id": base64.urlsafe_b64encode(b"[" * 9000).decode()}, "after_id"),
        ({"before_id": base64.urlsafe_b64encode(b'{"id": 1}').decode()}, "before_id"),
        ({"after_id": "activity_0100001", "before_id": "activity_0100001"}, "after_id"),
        ({"activity_types[]": "a", "exclude_activity_types[]": "b"}, "activity_types[]"),
    ],
)
async def test_a_bad_value_is_named(params: dict[str, Any], name: str) -> None:
    """Sections 4 and 6.1: 400 invalid_request_error, and the message starts with the parameter's name."""
    status, kind, message = said(await World(entry(1, NOON)).get(**params))
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith(name)


async def test_the_largest_limit_is_accepted() -> None:
    """Section 6.1: limit is from 1 to 5000."""
    world = World(*minutes_before_noon(3))
    assert len(await world.ids(limit=5000)) == 3
    assert len(await world.ids(limit=1)) == 1


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("created_at[gte]", "created_at.gte"),
        ("activity_types", "activity_types[]"),
        ("organization_id", "organization_ids[]"),
        ("limits", "limit"),
        ("after", "after_id"),
    ],
)
async def test_an_unknown_parameter_is_refused_with_advice(wrong: str, right: str) -> None:
    """Sections 1 and 4: unknown parameters are a 400, not ignored; the message suggests the right spelling."""
    status, kind, message = said(await World().get(**{wrong: "1"}))
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith(wrong) and message.endswith(f"did you mean {right}?")


async def test_an_unknown_type_is_refused_where_the_list_is_closed() -> None:
    """Section 4 and live-api-notes 7: a type outside the permitted list is a 400, in either filter."""
    world = World(known_types=frozenset({"claude_chat_created"}))
    assert await world.ids(activity_types_="claude_chat_created") == []
    for name in ("activity_types_", "exclude_activity_types_"):
        params: dict[str, Any] = {name: ["claude_chat_created", "anthropic_access"]}
        status, _, message = said(await world.get(**params))
        assert status == 400
        assert message.startswith(name.rstrip("_")) and "anthropic_access" in message


async def test_an_api_without_order_refuses_it() -> None:
    """Section 16: `order` may be missing on an older API; it is then an unknown parameter, and desc is the order."""
    world = World(*minutes_before_noon(2), order_supported=False)
    assert said(await world.get(order="asc"))[0] == 400
    assert await world.ids() == ["activity_0100001", "activity_0100000"]
    world.app.state.order_supported = True
    assert await world.ids(order="asc") == ["activity_0100000", "activity_0100001"]


async def test_visibility_follows_the_clock() -> None:
    """Section 6.4: the page shows what is indexed at the moment of the request."""
    world = World(entry(1, NOON, visible_at=NOON + timedelta(seconds=50)))
    assert await world.ids() == []
    world.clock.advance(timedelta(minutes=1))
    assert await world.ids() == ["activity_0100001"]
