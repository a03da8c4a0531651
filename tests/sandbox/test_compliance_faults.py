"""Injected faults, in process.

Documented answers name their section of compliance-api.md; the others are what design.md section 4 expects to survive.
"""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from sandbox.compliance.faults import ConnectionDropped
from sandbox.faults import Fault, Faults
from tests.sandbox.compliance_world import BRIDGE, NOON, STALE, World, minutes_before_noon, said


def stormy(kind: str, count: int = 6, *, skip: int = 0, **options: Any) -> World:
    """A world with `count` activities whose next request, after `skip`, gets the fault."""
    faults = Faults()
    faults.add(Fault(kind, skip=skip, options=options))
    return World(*minutes_before_noon(count), faults=faults)


@pytest.mark.parametrize(
    ("kind", "status", "error", "headers"),
    [
        ("rate_limited", 429, "rate_limit_error", {"retry-after": "1"}),
        ("rate_limited_bare", 429, "rate_limit_error", {"retry-after": None}),
        ("server_error", 500, "api_error", {"x-should-retry": None}),
        ("server_error_final", 500, "api_error", {"x-should-retry": "false"}),
        ("overloaded", 529, "overloaded_error", {"x-should-retry": None}),
        ("cursor_expired", 400, "invalid_request_error", {}),
    ],
)
async def test_a_refusal_has_its_documented_form(
    kind: str, status: int, error: str, headers: Mapping[str, str | None]
) -> None:
    """Sections 3 and 4: status, error.type and headers as documented, a request id on each, and then it is over."""
    world = stormy(kind)
    response = await world.get(after_id="activity_0100003")
    assert said(response)[:2] == (status, error)
    assert {name: response.headers.get(name) for name in headers} == headers
    assert "request-id" in response.headers
    assert (await world.get(after_id="activity_0100003")).status_code == 200


async def test_retry_after_is_the_tests_choice() -> None:
    """Section 3: retry-after is in seconds and may be longer than the minute."""
    assert (await stormy("rate_limited", retry_after=90).get()).headers["retry-after"] == "90"


@pytest.mark.parametrize("kind", ["server_error", "overloaded"])
async def test_platform_errors_repeat_the_request_id(kind: str) -> None:
    """Section 4: the platform-wide form adds type and request_id to the envelope."""
    response = await stormy(kind).get()
    assert response.json()["type"] == "error"
    assert response.json()["request_id"] == response.headers["request-id"]


async def test_a_gateway_answers_with_a_web_page() -> None:
    """Section 4: 502 has no documented body, so it is not JSON here."""
    response = await stormy("bad_gateway").get()
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html; charset=utf-8")


async def test_success_may_not_be_json() -> None:
    """A proxy's sign-in page comes with 200 and text/html."""
    response = await stormy("not_json").get()
    assert response.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        response.json()


async def test_a_short_body_is_broken_json() -> None:
    """A body cut before HTTP framing: the length is correct, the JSON is not."""
    response = await stormy("cut_body").get()
    assert int(response.headers["content-length"]) == len(response.content)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()


@pytest.mark.parametrize(
    ("kind", "options"), [("cut_body", {"how": "length"}), ("cut_body", {"how": "chunked"}), ("timeout", {})]
)
async def test_a_dropped_connection_reaches_an_in_process_client(kind: str, options: dict[str, Any]) -> None:
    """Without a socket to close, the client gets the transport error itself."""
    with pytest.raises(ConnectionDropped):
        await stormy(kind, **options).get()


async def test_a_repeated_page_is_the_walks_previous_one() -> None:
    """Design section 4: same rows and same last_id with has_more true; paging can continue afterward."""
    world = stormy("repeated_page", skip=1)
    first = (await world.get(limit=2)).json()
    repeated = (await world.get(limit=2, after_id=first["last_id"])).json()
    assert repeated == {**first, "has_more": True}
    after = (await world.get(limit=2, after_id=first["last_id"])).json()
    assert [each["id"] for each in after["data"]] == ["activity_0100003", "activity_0100002"]


async def test_a_repeated_page_belongs_to_its_own_walk() -> None:
    """Another window read at the same time is separate; a first page can only repeat itself."""
    world = stormy("repeated_page", skip=1)
    await world.get(limit=2)
    page = (await world.get(limit=4)).json()
    assert len(page["data"]) == 4 and page["has_more"] is True


async def test_a_stuck_cursor_promises_more_and_gives_no_way_on() -> None:
    """Design section 4: empty data, has_more true, cursors null."""
    page = (await stormy("stuck_cursor").get()).json()
    assert page == {"data": [], "has_more": True, "first_id": None, "last_id": None}


async def test_has_more_may_be_missing() -> None:
    """Section 6.2: has_more has a default, so a response may lack it."""
    page = (await stormy("no_has_more").get(limit=2)).json()
    assert list(page) == ["data", "first_id", "last_id"]


async def test_a_full_page_may_claim_to_be_the_end() -> None:
    """Design section 4: has_more false although rows follow; another request finds them."""
    world = stormy("false_end")
    page = (await world.get(limit=4)).json()
    assert (len(page["data"]), page["has_more"]) == (4, False)
    assert len(await world.ids(limit=4, after_id=page["last_id"])) == 2


async def test_an_expired_cursor_needs_a_cursor() -> None:
    """Section 4: only a request with a cursor can have an invalid one."""
    assert (await stormy("cursor_expired").get()).status_code == 200


async def test_odd_rows_are_spliced_in_untouched() -> None:
    """Design section 4, malformed input: a lone surrogate and a huge integer among valid rows, cursors unaffected."""
    odd = [b'{"id":"activity_01odd","note":"\\ud800"}', b'{"id":"activity_01big","n":123456789012345678901234567890}']
    response = await stormy("odd_row", bodies=odd).get()
    plain = await World(*minutes_before_noon(6)).get()
    assert b",".join(odd) in response.content
    ids = [each["id"] for each in response.json()["data"]]
    assert len(ids) == 8 and ids[3:5] == ["activity_01odd", "activity_01big"]
    assert response.json()["last_id"] == plain.json()["last_id"]


async def test_one_date_may_be_wrong() -> None:
    """Design section 4: the API's Date header is one of two clocks, and may be off for one answer."""
    world = stormy("clock_skew", seconds=-120)
    dates = [parsedate_to_datetime((await world.get()).headers["date"]) for _ in range(2)]
    assert dates == [NOON - timedelta(seconds=120), NOON]


async def test_latency_moves_a_simulated_clock() -> None:
    """live-api-notes 5: latency applies to successful responses; the response is computed at its end."""
    world = stormy("latency", seconds=0.05)
    response = await world.get()
    assert world.clock.now() == NOON + timedelta(seconds=0.05)
    assert response.status_code == 200


async def test_faults_know_the_request() -> None:
    """A fault can match a path, a parameter, a time or a key, and waits for its request."""
    faults = Faults()
    facts: list[Mapping[str, Any]] = []

    def aim(request: Mapping[str, Any]) -> bool:
        facts.append(request)
        return "after_id" in request["query"]

    faults.add(Fault("server_error", match=aim))
    world = World(*minutes_before_noon(2), faults=faults)
    assert (await world.get(key=STALE)).status_code == 401
    assert (await world.get(activity_types_=["a", "b"])).status_code == 200
    assert (await world.get(after_id="activity_0100001")).status_code == 500
    assert facts[0] == {
        "method": "GET",
        "path": "/v1/compliance/activities",
        "query": {"activity_types[]": ["a", "b"]},
        "now": NOON,
        "key": BRIDGE,
    }
    assert len(facts) == 2, "an unauthenticated request asks for no weather"


async def test_a_faulty_request_costs_and_is_recorded() -> None:
    """Sections 3 and 6.4: a failed request uses the budget and appears in the feed, with its status."""
    faults = Faults()
    faults.add(Fault("server_error"))
    world = World(own_rows=True, faults=faults)
    assert (await world.get()).headers["anthropic-ratelimit-requests-remaining"] == "599"
    world.clock.advance(timedelta(seconds=5))
    assert [row["status_code"] for row in (await world.get()).json()["data"]] == [500]


async def test_an_unknown_fault_is_the_testers_mistake() -> None:
    """A misspelled kind raises an error instead of testing nothing."""
    with pytest.raises(ValueError, match="server_eror"):
        await stormy("server_eror").get()
