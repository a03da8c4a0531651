"""Lists of each family, page by page: where they go on, where they end, and what ends them early."""

from typing import Any

import httpx
import pytest

from shared.errors import BudgetSpent, ItemGone, NotAvailable, SourceBusy, SourceIncoherent
from shared.models import Cursor
from shared.source import endpoints
from shared.source.endpoint import Endpoint, Paging
from shared.source.paging import ListPage, pages
from tests.unit.source.api import NOON, ApiWorld

FAMILIES = [endpoints.CHATS, endpoints.GROUPS, endpoints.LOCAL_SESSIONS]
FLAGGED = [endpoints.CHATS, endpoints.GROUPS]


def named(value: object) -> str | None:
    return value.paging.name.lower() if isinstance(value, Endpoint) else None


def envelope(endpoint: Endpoint, data: list[Any], following: str | None) -> dict[str, Any]:
    """A page as the endpoint's family writes it."""
    match endpoint.paging:
        case Paging.CURSOR:
            last = following or (f"end-{len(data)}" if data else None)
            return {"data": data, "has_more": following is not None, "first_id": "f", "last_id": last}
        case Paging.PAGE:
            return {"data": data, "has_more": following is not None, "next_page": following}
        case _:
            return {"data": data, "next_page": following}


def item(number: int) -> dict[str, Any]:
    return {"id": f"x_{number}", "name": f"n{number}"}


def answers(endpoint: Endpoint, *numbers: list[int]) -> list[httpx.Response]:
    """Pages with these items; each but the last leads to the next."""
    last = len(numbers) - 1
    return [
        httpx.Response(
            200,
            json=envelope(endpoint, [item(each) for each in page], f"c{at}" if at < last else None),
            headers={"request-id": f"req_{at}"},
        )
        for at, page in enumerate(numbers)
    ]


def raw(**body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


async def read(world: ApiWorld, endpoint: Endpoint, **options: Any) -> list[ListPage]:
    given = {"deadline": world.soon, **options}
    return [page async for page in pages(world.client, endpoint, [("a", "b")], world.receipts, **given)]


def ids(read: list[ListPage]) -> list[str]:
    return [each["id"] for page in read for each in page.items]


@pytest.mark.parametrize("endpoint", FAMILIES, ids=named)
async def test_a_list_is_read_to_its_end(endpoint: Endpoint) -> None:
    """Every item, in order, each once; the largest page is asked for, and cursors go where the family wants them."""
    world = ApiWorld(answers(endpoint, [1, 2], [3, 4], [5]))
    got = await read(world, endpoint)
    assert ids(got) == [f"x_{number}" for number in range(1, 6)]
    assert endpoint.sizes is not None
    first = {"a": "b", "limit": str(endpoint.sizes.largest)}
    where = endpoint.paging.parameter
    assert world.queries == [first, {**first, where: "c0"}, {**first, where: "c1"}]
    assert [page.following for page in got] == ["c0", "c1", None]
    assert world.receipts.request_ids == [page.request_id for page in got] == ["req_0", "req_1", "req_2"]


@pytest.mark.parametrize("endpoint", FAMILIES, ids=named)
async def test_an_empty_list_is_one_empty_page(endpoint: Endpoint) -> None:
    """Nobody there is an answer."""
    (page,) = await read(ApiWorld(answers(endpoint, [])), endpoint)
    assert page.items == [] and page.following is None and page.not_objects == 0


@pytest.mark.parametrize("endpoint", FAMILIES, ids=named)
async def test_a_later_run_goes_on_where_one_stopped(endpoint: Endpoint) -> None:
    """`following` of a page that was dealt with is the next run's `start`."""
    world = ApiWorld(answers(endpoint, [3, 4], [5]))
    got = await read(world, endpoint, start=Cursor("saved"), limit=2)
    assert ids(got) == ["x_3", "x_4", "x_5"]
    assert [query[endpoint.paging.parameter] for query in world.queries] == ["saved", "c0"]
    assert {query["limit"] for query in world.queries} == {"2"}


async def test_short_and_empty_pages_end_nothing_where_only_the_token_counts() -> None:
    """Sessions: a page of none in the middle of the list."""
    got = await read(ApiWorld(answers(endpoints.LOCAL_SESSIONS, [1], [], [], [2])), endpoints.LOCAL_SESSIONS)
    assert ids(got) == ["x_1", "x_2"] and len(got) == 4


async def test_the_last_page_of_a_token_list_may_leave_the_token_out() -> None:
    """Absent and null say the same."""
    (page,) = await read(ApiWorld([raw(data=[item(1)])]), endpoints.LOCAL_SESSIONS)
    assert page.following is None


async def test_the_flag_ends_a_list_that_has_one() -> None:
    """`has_more: false` with a `next_page` all the same: the documentation's stop rule is the flag."""
    (page,) = await read(ApiWorld([raw(data=[item(1)], has_more=False, next_page="c")]), endpoints.GROUPS)
    assert page.following is None


@pytest.mark.parametrize("endpoint", FLAGGED, ids=named)
@pytest.mark.parametrize("flag", [None, "false", 0])
async def test_a_page_that_does_not_say_whether_there_is_more_is_refused(endpoint: Endpoint, flag: Any) -> None:
    """Taken for the end it would lose the rest of the list."""
    with pytest.raises(SourceIncoherent, match="does not say whether there is more"):
        await read(ApiWorld([raw(data=[item(1)], has_more=flag, last_id="c", next_page="c")]), endpoint)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (endpoints.CHATS, {"has_more": True, "last_id": None, "next_page": "c"}),
        (endpoints.GROUPS, {"has_more": True, "next_page": "", "last_id": "c"}),
        (endpoints.LOCAL_SESSIONS, {"next_page": 7}),
    ],
    ids=named,
)
async def test_more_without_a_cursor_is_refused(endpoint: Endpoint, body: dict[str, Any]) -> None:
    """Another family's cursor is none."""
    with pytest.raises(SourceIncoherent, match="gives no cursor"):
        await read(ApiWorld([raw(data=[item(1)], **body)]), endpoint)


@pytest.mark.parametrize("endpoint", FAMILIES, ids=named)
async def test_cursors_that_go_round_are_refused(endpoint: Endpoint) -> None:
    """A, B, A, B: as soon as the first comes again, and what was read before was handed over."""
    world = ApiWorld(lambda request: raw(**envelope(endpoint, [item(len(world.asked))], "AB"[len(world.asked) % 2])))
    got = []
    with pytest.raises(SourceIncoherent, match="gives a cursor again"):
        async for page in pages(world.client, endpoint, [], world.receipts, deadline=world.soon):
            got += [page]
    assert len(world.asked) == 3 and ids(got) == ["x_1", "x_2"]


@pytest.mark.parametrize("endpoint", FAMILIES, ids=named)
async def test_a_page_that_only_repeats_is_refused(endpoint: Endpoint) -> None:
    """A server that ignores the cursor gives page one for ever, each time with a new cursor."""
    world = ApiWorld(lambda request: raw(**envelope(endpoint, [item(1), item(2)], f"c{len(world.asked)}")))
    with pytest.raises(SourceIncoherent, match="only repeats earlier ones"):
        await read(world, endpoint)
    assert len(world.asked) == 2


async def test_an_item_that_changed_while_the_list_was_read_may_come_again() -> None:
    """A chat with a new message moves ahead of the cursor; that is progress."""
    changed = [{"id": "x_1", "updated_at": "1"}, {"id": "x_1", "updated_at": "2"}]
    world = ApiWorld(
        [
            raw(data=changed[:1], has_more=True, last_id="c", first_id="f"),
            raw(data=changed[1:], has_more=False, last_id="d", first_id="f"),
        ]
    )
    assert ids(await read(world, endpoints.CHATS)) == ["x_1", "x_1"]


async def test_the_list_may_have_another_name_and_company() -> None:
    """A chat's messages: the rest of the answer is kept."""
    answer = raw(id="claude_chat_1", chat_messages=[item(1)], has_more=False, first_id=None, last_id=None)
    world = ApiWorld([answer])
    (page,) = await read(world, endpoints.CHAT_MESSAGES, ids={"claude_chat_id": "claude_chat_1"})
    assert ids([page]) == ["x_1"] and page.envelope["id"] == "claude_chat_1" and "chat_messages" not in page.envelope
    assert world.asked[0].url.path == "/v1/compliance/apps/chats/claude_chat_1/messages"


async def test_what_is_no_object_is_counted() -> None:
    """It is no item, and it does not end the list."""
    (page,) = await read(ApiWorld([raw(data=[item(1), 7, None, "x"], next_page=None)]), endpoints.LOCAL_SESSIONS)
    assert ids([page]) == ["x_1"] and page.not_objects == 3


async def test_odd_values_become_text() -> None:
    """Half a surrogate pair in a name and a 30-digit number do not spoil the page."""
    body = b'{"data":[{"id":"x_1","name":"\\ud800","n":%s}],"has_more":false}' % (b"9" * 30)
    (page,) = await read(ApiWorld([httpx.Response(200, content=body)]), endpoints.GROUPS)
    assert page.items == [{"id": "x_1", "name": "\\ud800", "n": "9" * 30}]


async def test_a_cut_page_is_asked_again() -> None:
    """JSON that ends early is not the end of the list."""
    (good,) = answers(endpoints.GROUPS, [1])
    world = ApiWorld([httpx.Response(200, content=b'{"data":[{"id":'), good])
    assert ids(await read(world, endpoints.GROUPS)) == ["x_1"] and world.receipts.retries == 1


@pytest.mark.parametrize("body", [[], {"has_more": False}, {"data": {}, "has_more": False}])
async def test_json_that_is_no_page_is_refused(body: Any) -> None:
    """Something between us and the API answers."""
    with pytest.raises(SourceIncoherent, match="no page of"):
        await read(ApiWorld([httpx.Response(200, json=body)]), endpoints.GROUPS)


async def test_time_that_runs_out_ends_the_list_between_two_pages() -> None:
    """Incomplete, said as such; the cursor of the last page is the caller's."""
    world = ApiWorld(answers(endpoints.GROUPS, [1], [2]))
    deadline, got = world.soon, []
    with pytest.raises(SourceBusy, match="time was up"):
        async for page in pages(world.client, endpoints.GROUPS, [], world.receipts, deadline=deadline):
            got.append(page)
            await world.clock.sleep(600)
    assert ids(got) == ["x_1"] and got[0].following == "c0" and len(world.asked) == 1


async def test_refusals_are_the_records() -> None:
    """A family that is not there, an object that is gone, a budget that is spent: as the client raises them."""
    no = {"error": {"type": "not_found_error", "message": "Local sessions are not available."}}
    with pytest.raises(NotAvailable):
        await read(ApiWorld([httpx.Response(404, json=no)]), endpoints.LOCAL_SESSIONS)
    with pytest.raises(ItemGone):
        await read(ApiWorld([httpx.Response(404, json=no)]), endpoints.GROUP_MEMBERS, ids={"group_id": "g"})
    (good,) = answers(endpoints.GROUPS, [1])
    good.headers["anthropic-ratelimit-requests-remaining"] = "5"
    world = ApiWorld([good])
    await read(world, endpoints.GROUPS)
    with pytest.raises(BudgetSpent):
        await read(world, endpoints.GROUPS, reserve=100, deadline=NOON.replace(second=30))


async def test_what_has_no_pages_is_not_paged() -> None:
    """A mistake of ours, said at once."""
    with pytest.raises(ValueError, match="has no pages"):
        await read(ApiWorld([]), endpoints.FILE)
