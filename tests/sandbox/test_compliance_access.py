"""Keys, scopes, budget, headers and the API's own rows (compliance-api.md sections 1 to 4, 6.4 and 12)."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from sandbox.compliance.budget import Budget
from sandbox.compliance.keys import ApiKey
from sandbox.compliance.responses import ListedOrganization
from tests.sandbox.compliance_world import (
    ACTIVITIES,
    ADMIN,
    AUDITOR,
    BRIDGE,
    DIRECTORY,
    MODEL,
    NOON,
    ORGANIZATIONS,
    STALE,
    World,
    said,
)

LIMIT, REMAINING, RESET = (f"anthropic-ratelimit-requests-{name}" for name in ("limit", "remaining", "reset"))


@pytest.mark.parametrize("key", [None, "", "secret", MODEL, "sk-ant-api03-anything"])
async def test_no_key_and_wrong_kind_are_not_found(key: ApiKey | str | None) -> None:
    """Section 4: no key or a wrong kind of key gets a bare 404, as if the path did not exist."""
    assert said(await World().get(key=key)) == (404, "not_found_error", "Not found")


@pytest.mark.parametrize("key", [STALE, "sk-ant-api01-deleted", "sk-ant-admin01-deleted"])
async def test_a_dead_key_is_unauthenticated(key: ApiKey | str) -> None:
    """Section 4: an expired, deleted or unknown key of the right kind is a 401 authentication_error."""
    assert said(await World().get(key=key))[:2] == (401, "authentication_error")


async def test_an_expired_key_says_so() -> None:
    """Section 2.2: the documented text for an admin key past its date."""
    assert said(await World().get(key=STALE))[2] == "API key has expired."


async def test_a_deleted_key_stops_at_once() -> None:
    """Section 2.2: deleting a key works at once, with no grace period."""
    world = World()
    assert (await world.get()).status_code == 200
    del world.app.state.keys[BRIDGE.secret]
    assert (await world.get()).status_code == 401


@pytest.mark.parametrize("key", [BRIDGE, AUDITOR, ADMIN])
async def test_the_feed_opens_to_either_scope_and_both_kinds(key: ApiKey) -> None:
    """Sections 2.2 and 6: read:compliance_activities or read:org_audit, on a compliance key or an admin key."""
    assert (await World().get(key=key)).status_code == 200


async def test_a_missing_scope_is_named_in_the_documented_form() -> None:
    """Sections 4 and 18: 403 permission_error with what the key has and what would open the path."""
    body = (await World().get(ORGANIZATIONS, key=BRIDGE)).json()
    assert body == {
        "error": {
            "type": "permission_error",
            "message": "Missing required scopes. Got: ['read:compliance_activities'] "
            "Needed one of: ['read:compliance_org_data', 'read:org_audit']",
        }
    }
    message = said(await World().get(ORGANIZATIONS, key=ADMIN))[2]
    assert "Got: ['api:admin', 'read:compliance_activities']" in message


def test_an_admin_key_cannot_hold_more() -> None:
    """Section 2.2: admin keys cannot have another scope, so the simulator refuses to create such a key."""
    with pytest.raises(ValueError, match="org_audit"):
        ApiKey("sk-ant-admin01-x", "apikey_01x", "admin", frozenset({"read:org_audit"}))
    with pytest.raises(ValueError, match="sk-ant-api01-"):
        ApiKey("sk-ant-admin01-x", "apikey_01x", "compliance", frozenset())


async def test_an_api_that_is_off_says_so() -> None:
    """Section 2.4: while off, calls are a 400 with the documented text, nothing is recorded, and on is on."""
    world = World(own_rows=True)
    world.app.state.enabled = False
    refusal = (400, "invalid_request_error", "Compliance API is not enabled for this organization")
    assert said(await world.get()) == refusal
    assert len(world.feed) == 0
    world.app.state.enabled = True
    assert (await world.get()).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/compliance/nothing"), ("GET", "/"), ("POST", ACTIVITIES)])
async def test_what_does_not_exist_is_not_found(method: str, path: str) -> None:
    """Sections 1 and 4: an unknown path, or a method no path takes, is `Not found`."""
    assert said(await World().get(path, method=method)) == (404, "not_found_error", "Not found")


async def test_each_authenticated_answer_has_its_own_request_id() -> None:
    """Section 1: `request-id` on good and bad answers alike; an unauthenticated one has none (live-api-notes 6)."""
    world = World()
    answers = [await world.get(), await world.get(limit=0), await world.get("/v1/x"), await world.get(ORGANIZATIONS)]
    ids = {answer.headers["request-id"] for answer in answers}
    assert len(ids) == 4 and all(each.startswith("req_") for each in ids)
    assert "request-id" not in (await world.get(key=None)).headers
    assert "request-id" not in (await world.get(key=STALE)).headers


async def test_ids_repeat_with_the_seed() -> None:
    """Sections 1 and 6.4: request and activity ids are unique, and two worlds of one seed are the same."""

    async def run(seed: int) -> list[str]:
        world = World(own_rows=True, seed=seed)
        requests = [(await world.get()).headers["request-id"] for _ in range(3)]
        return requests + sorted(world.feed.ids(NOON, NOON + timedelta(days=1)))

    first, again, other = await run(1), await run(1), await run(2)
    assert first == again and len(set(first)) == 6
    assert not set(first) & set(other)


async def test_the_budget_is_told_and_shared_by_all_keys() -> None:
    """Section 3: limit, remaining and reset on every authenticated answer, one budget for every key and path."""
    world = World(requests_per_minute=600)
    one = await world.get(key=BRIDGE)
    two = await world.get(ORGANIZATIONS, key=DIRECTORY)
    assert (one.headers[LIMIT], one.headers[REMAINING]) == ("600", "599")
    assert (two.headers[LIMIT], two.headers[REMAINING]) == ("600", "598")
    assert one.headers[RESET] == "2026-10-05T12:01:00Z"


async def test_strangers_cost_nothing_and_a_wrong_scope_costs_one() -> None:
    """Section 3: unauthenticated requests are free; a valid key with the wrong scope uses one unit, then gets 403."""
    world = World()
    assert REMAINING not in (await world.get(key=None)).headers
    assert REMAINING not in (await world.get(key=STALE)).headers
    refused = await world.get(ORGANIZATIONS, key=BRIDGE)
    assert (refused.status_code, refused.headers[REMAINING]) == (403, "599")


async def test_a_spent_budget_is_a_429_that_says_how_long() -> None:
    """Sections 3 and 4: rate_limit_error with retry-after; waiting that long is enough."""
    world = World(requests_per_minute=2)
    world.clock.advance(timedelta(seconds=20, milliseconds=500))
    answers = [await world.get() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert said(answers[2])[1] == "rate_limit_error"
    assert (answers[2].headers[REMAINING], answers[2].headers["retry-after"]) == ("0", "40")
    world.clock.advance(timedelta(seconds=int(answers[2].headers["retry-after"])))
    assert (await world.get()).headers[REMAINING] == "1"


async def test_other_tools_can_spend_the_budget() -> None:
    """Section 3: other compliance tools of the customer share the budget, and only the headers show it."""
    world = World(requests_per_minute=600)
    budget: Budget = world.app.state.budget
    budget.spend(590)
    assert (await world.get()).headers[REMAINING] == "9"
    assert budget.peek().remaining == 9


async def test_the_date_is_the_simulated_one() -> None:
    """Design section 4 reads the API's `Date`: it is the given clock's, once, plus the requested skew."""
    world = World()
    for key in (BRIDGE, None):
        dates = (await world.get(key=key)).headers.get_list("date")
        assert [parsedate_to_datetime(each) for each in dates] == [NOON]
    world.app.state.date_skew = timedelta(minutes=-3)
    assert parsedate_to_datetime((await world.get()).headers["date"]) == NOON - timedelta(minutes=3)


async def test_every_authenticated_request_becomes_an_activity() -> None:
    """Section 6.4 and live-api-notes 4: one compliance_api_accessed each, matched exactly by its request id."""
    world = World(own_rows=True)
    answers = [
        await world.get(order="asc", limit=7),
        await world.get(ORGANIZATIONS),
        await world.get("/v1/compliance/nothing"),
        await world.get(key=None),
        await world.get(key=STALE),
    ]
    world.clock.advance(timedelta(seconds=2))
    rows = {row["request_id"]: row for row in (await world.get()).json()["data"]}
    assert rows.keys() == {answer.headers["request-id"] for answer in answers[:3]}
    row = rows[answers[0].headers["request-id"]]
    assert row.pop("id").startswith("activity_")
    assert row == {
        "type": "compliance_api_accessed",
        "created_at": "2026-10-05T12:00:00.000000Z",
        "organization_id": None,
        "organization_uuid": None,
        "actor": {
            "type": "api_actor",
            "api_key_id": BRIDGE.key_id,
            "ip_address": "203.0.113.9",
            "user_agent": answers[0].request.headers["user-agent"],
        },
        "request_id": answers[0].headers["request-id"],
        "request_method": "GET",
        "url": "https://api.anthropic.com/v1/compliance/activities?order=asc&limit=7",
        "status_code": 200,
        "request_body": None,
    }
    assert [rows[answer.headers["request-id"]]["status_code"] for answer in answers[1:3]] == [403, 404]


async def test_own_rows_show_about_a_second_later() -> None:
    """live-api-notes 4: a read does not see itself, and the next one, a second later, does."""
    world = World(own_rows=True)
    assert (await world.get()).json()["data"] == []
    world.clock.advance(timedelta(milliseconds=999))
    assert (await world.get()).json()["data"] == []
    world.clock.advance(timedelta(milliseconds=1))
    assert len((await world.get()).json()["data"]) == 1


async def test_own_rows_can_be_turned_off() -> None:
    """Section 6.4: the switch is ours, for tests that count a feed exactly."""
    world = World(own_rows=False)
    await world.get()
    assert len(world.feed) == 0


async def test_organizations_come_in_token_pages() -> None:
    """Sections 5, 12 and 18: oldest first, `page` from `next_page` until `has_more` is false."""
    made = [ListedOrganization(f"uuid-{n}", f"Contoso {n}", f"2025-11-0{n}T12:00:00Z") for n in (3, 1, 2)]
    world = World(organizations=made)
    first = (await world.get(ORGANIZATIONS, key=DIRECTORY, limit=2)).json()
    assert [each["uuid"] for each in first["data"]] == ["uuid-1", "uuid-2"]
    assert first["has_more"] is True
    rest = (await world.get(ORGANIZATIONS, key=DIRECTORY, limit=2, page=first["next_page"])).json()
    assert rest == {
        "data": [{"uuid": "uuid-3", "name": "Contoso 3", "created_at": "2025-11-03T12:00:00Z"}],
        "has_more": False,
        "next_page": None,
    }


@pytest.mark.parametrize(
    ("wrong", "name"), [({"page": "x"}, "page"), ({"limit": 1001}, "limit"), ({"order": "asc"}, "order")]
)
async def test_organizations_refuse_what_they_do_not_know(wrong: dict[str, str], name: str) -> None:
    """Sections 4 and 12: an undecodable page token, a limit over 1000 and an unknown parameter are 400s."""
    status, kind, message = said(await World().get(ORGANIZATIONS, key=DIRECTORY, **wrong))
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith(name)
