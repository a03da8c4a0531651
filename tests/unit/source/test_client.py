"""The client and the records: each refusal as its call means it, budgets apart, downloads piece by piece."""

import gzip
import re

import httpx
import pytest

from shared.errors import (
    BadRequest,
    BridgeError,
    BudgetSpent,
    ItemGone,
    NotAvailable,
    SourceBusy,
    SourceIncoherent,
    SourceRefused,
)
from shared.source import endpoints
from shared.source.endpoint import Endpoint
from shared.source.rate_limit import RateLimits
from shared.source.response import BODY_LIMIT_BYTES
from tests.unit.source.api import NOON, ApiWorld, parts


def error(status: int, message: str = "no", code: str | None = None) -> httpx.Response:
    details = {"error_code": code} if code else None
    return httpx.Response(status, json={"error": {"type": "t", "message": message, "details": details}})


@pytest.mark.parametrize(
    ("endpoint", "status", "raised", "says"),
    [
        (endpoints.ACTIVITIES, 400, BadRequest, "turn it on (claude.ai, Organization settings, API)"),
        (endpoints.ACTIVITIES, 401, SourceRefused, "make a new one with the scope read:compliance_activities"),
        (endpoints.ACTIVITIES, 403, SourceRefused, "lacks the scope read:compliance_activities"),
        (endpoints.ACTIVITIES, 404, SourceRefused, "sk-ant-api01-"),
        (endpoints.ACTIVITIES, 404, SourceRefused, "then COMPLIANCE_API_URL"),
        (endpoints.ACTIVITIES, 404, SourceRefused, "has no Compliance API"),
        (endpoints.GROUPS, 403, NotAvailable, "the scope read:compliance_org_data"),
        (endpoints.LOCAL_SESSIONS, 404, NotAvailable, "turn this stream off"),
        (endpoints.GROUPS, 401, SourceRefused, "read:compliance_org_data"),
        (endpoints.REVIEW_CASES, 401, NotAvailable, "a valid admin key"),
        (endpoints.PLUGINS, 404, NotAvailable, "compliance key or admin key"),
        (endpoints.USAGE, 400, NotAvailable, "read:analytics"),
        (endpoints.API_KEYS, 418, SourceRefused, "does not document"),
        (endpoints.GROUPS, 409, SourceRefused, "409"),
        (endpoints.GROUPS, 302, SourceRefused, "would carry the key elsewhere"),
    ],
)
async def test_a_refusal_is_what_its_call_means_by_it(
    endpoint: Endpoint, status: int, raised: type[BridgeError], says: str
) -> None:
    """One request, the error of the record's meaning, and a sentence with cause and remedy."""
    world = ApiWorld([error(status, "no ann@example.com sk-ant-api01-test")])
    with pytest.raises(raised, match=re.escape(says)) as refused:
        await world.client.get(endpoint, [], world.receipts, deadline=world.soon)
    assert type(refused.value) is raised
    assert "ann@" not in str(refused.value) and "api01-test" not in str(refused.value)


@pytest.mark.parametrize("endpoint", [endpoints.FILE, endpoints.FILE_CONTENT])
async def test_an_object_that_is_gone_is_no_failure(endpoint: Endpoint) -> None:
    """Deleted between list and read; the error says neither key nor scope."""
    world = ApiWorld([error(404)])
    with pytest.raises(ItemGone, match="is gone"):
        await world.client.get(
            endpoint, [], world.receipts, deadline=world.soon, ids={"claude_file_id": "claude_file_01"}
        )


async def test_the_apis_error_code_is_kept() -> None:
    """A stream may branch on it; messages may be reworded."""
    world = ApiWorld([error(400, "too large", "transcript_page_read_limit_exceeded")])
    with pytest.raises(BadRequest) as refused:
        await world.client.get(
            endpoints.LOCAL_SESSION_MESSAGES, [], world.receipts, deadline=world.soon, ids={"local_session_id": "c"}
        )
    assert refused.value.code == "transcript_page_read_limit_exceeded"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, content=b"<html>"),
        httpx.Response(404, content=b"[]"),
        httpx.Response(404, json={"error": "no"}),
        httpx.Response(404, content=b'{"error":{"message":"' + b"x" * 100_000),
        httpx.Response(404, headers={"content-encoding": "gzip"}, content=parts(b"no gzip")),
    ],
)
async def test_a_refusal_nobody_can_read_is_still_one(answer: httpx.Response) -> None:
    """Its status counts; the body is cut, odd or huge."""
    world = ApiWorld([answer])
    with pytest.raises(SourceRefused, match="no readable message"):
        await world.client.get(endpoints.ACTIVITIES, [], world.receipts, deadline=world.soon)


async def test_a_record_says_the_path_and_the_beta_header() -> None:
    """Ids are filled in, parameters sent as given, gzip asked for, and the beta header only where there is one."""
    world = ApiWorld(lambda _: httpx.Response(200, json={}))
    await world.client.get(
        endpoints.PLUGIN_SETTINGS, [("limit", "2")], world.receipts, deadline=world.soon, ids={"plugin_id": "p/1"}
    )
    await world.client.get(endpoints.GROUPS, [], world.receipts, deadline=world.soon)
    first, second = world.asked
    assert first.url.raw_path == b"/v1/organizations/plugins/p%2F1/installation_settings?limit=2"
    assert first.headers["anthropic-beta"] == "ce-plugins-2026-09-01" and first.headers["accept-encoding"] == "gzip"
    assert "anthropic-beta" not in second.headers
    assert world.receipts.requests == 2 and world.receipts.retries == 0


async def test_a_call_that_changes_something_is_never_sent() -> None:
    """The reader has no way to delete, whatever it is given."""
    world = ApiWorld([])
    with pytest.raises(ValueError, match="only reads"):
        await world.client.get(endpoints.DELETE_CHAT, [], world.receipts, deadline=world.soon)
    assert world.asked == []


async def test_a_page_over_the_limit_is_the_windows_fault() -> None:
    """However small it was on the wire; and it is not asked again: it would be as large."""
    bomb = gzip.compress(bytes(BODY_LIMIT_BYTES + 1))
    world = ApiWorld([httpx.Response(200, headers={"content-encoding": "gzip"}, content=parts(bomb))])
    with pytest.raises(SourceIncoherent, match="larger than 67,108,864 bytes"):
        await world.client.get(endpoints.ACTIVITIES, [], world.receipts, deadline=world.soon)
    assert len(world.asked) == 1


def left(count: int, limit: int = 600) -> dict[str, str]:
    return {
        "anthropic-ratelimit-requests-limit": str(limit),
        "anthropic-ratelimit-requests-remaining": str(count),
    }


async def test_budgets_do_not_disturb_each_other() -> None:
    """3 of 60 left for analytics: reading the directory waits for nobody, and its own number stays."""
    usage, groups = httpx.Response(200, headers=left(3, 60), json={}), httpx.Response(200, headers=left(590), json={})
    world = ApiWorld([groups, usage, groups])
    for endpoint in (endpoints.GROUPS, endpoints.USAGE, endpoints.GROUPS):
        await world.client.get(endpoint, [], world.receipts, deadline=world.soon, reserve=120)
    assert (world.client.limit(endpoints.GROUPS).limit, world.client.limit(endpoints.USAGE).limit) == (600, 60)
    assert world.clock.now() == NOON
    with pytest.raises(BudgetSpent):
        await world.client.get(endpoints.COST, [], world.receipts, deadline=world.clock.now(), reserve=120)


async def test_clients_of_one_parent_share_its_budget() -> None:
    """What one client reports of the 600 holds for the other; remote sessions report and use the same."""
    limits = RateLimits()
    one = ApiWorld([httpx.Response(200, headers=left(100), json={})], limits=limits)
    other = ApiWorld([], limits=limits)
    await one.client.get(endpoints.REMOTE_SESSIONS, [], one.receipts, deadline=one.soon)
    with pytest.raises(BudgetSpent):
        await other.client.get(endpoints.ACTIVITIES, [], other.receipts, deadline=other.clock.now(), reserve=120)
    assert other.asked == []


IDS = {"claude_file_id": "claude_file_01"}


async def test_a_download_comes_in_pieces_with_its_headers() -> None:
    """Opening it is retried like any call; a limit is for the caller to set."""
    world = ApiWorld(
        [error(503), httpx.Response(200, headers={"Content-MD5": "m", "request-id": "r"}, content=parts(b"ab", b"c"))]
    )
    async with world.client.stream(endpoints.FILE_CONTENT, world.receipts, deadline=world.soon, ids=IDS) as download:
        got = [piece async for piece in download.pieces]
    assert got == [b"ab", b"c"]
    assert (download.headers["content-md5"], download.request_id) == ("m", "r")
    assert (world.receipts.requests, world.receipts.retries, world.receipts.request_ids) == (2, 1, ["r"])


async def test_a_download_that_breaks_off_or_grows_too_large_says_so() -> None:
    """Its pieces are thrown away: busy may be asked again, too large may not."""
    broken = httpx.Response(200, content=parts(b"ab", then=httpx.RemoteProtocolError("early end")))
    world = ApiWorld([broken, httpx.Response(200, content=parts(b"ab", b"cd"))])
    with pytest.raises(SourceBusy, match="broke off"):
        async with world.client.stream(endpoints.FILE_CONTENT, world.receipts, deadline=world.soon, ids=IDS) as first:
            [piece async for piece in first.pieces]
    with pytest.raises(SourceIncoherent, match="larger than 3 bytes"):
        async with world.client.stream(
            endpoints.FILE_CONTENT, world.receipts, deadline=world.soon, ids=IDS, limit_bytes=3
        ) as second:
            [piece async for piece in second.pieces]


async def test_a_download_does_not_outlast_its_run() -> None:
    """A body that drips is left when time is up."""
    world = ApiWorld([httpx.Response(200, content=parts(b"a", b"b", b"c"))])
    deadline = world.soon
    got = []
    with pytest.raises(SourceBusy, match="time was up"):
        async with world.client.stream(endpoints.FILE_CONTENT, world.receipts, deadline=deadline, ids=IDS) as download:
            async for piece in download.pieces:
                got.append(piece)
                await world.clock.sleep(200)
    assert got == [b"a", b"b"]


async def test_a_download_may_be_left_early() -> None:
    """A reader that has seen enough closes it; nothing is left behind."""
    world = ApiWorld([httpx.Response(200, content=parts(b"ab", b"c"))])
    async with world.client.stream(endpoints.FILE_CONTENT, world.receipts, deadline=world.soon, ids=IDS) as download:
        async for piece in download.pieces:
            assert piece == b"ab"
            break
