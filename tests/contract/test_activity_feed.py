"""The real client and feed against the simulated Compliance API: its requests, and how it handles each response."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from sandbox.activity import feed_entry, raw_entry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import ApiKey
from sandbox.faults import Fault, Faults
from shared.clock import SimulatedClock
from shared.errors import BadRequest, BudgetSpent, SourceBusy, SourceIncoherent, SourceRefused
from shared.models import Cursor, Position, Window
from shared.source.client import ATTEMPTS, ComplianceClient, Keys
from shared.streams.activity.endpoint import ActivityFeed, FeedReading
from tests.fakes import NOON

READ = frozenset({"read:compliance_activities"})
GOOD = ApiKey("sk-ant-api01-good", "apikey_01Good", "compliance", READ)
OLD = ApiKey("sk-ant-api01-old", "apikey_01Old", "compliance", READ)
NARROW = ApiKey("sk-ant-api01-narrow", "apikey_01Narrow", "compliance", frozenset({"read:compliance_org_data"}))
EXPIRED = ApiKey("sk-ant-api01-expired", "apikey_01Expired", "compliance", READ, expired=True)
WINDOW = Window(NOON - timedelta(hours=1), NOON)


class Api:
    """A simulated API with `count` activities, a second apart, and a client for it."""

    def __init__(self, count: int = 10, *, key: str = GOOD.secret, older: str | None = None, **options: Any) -> None:
        self.clock = SimulatedClock(NOON)
        self.feed = SimulatedFeed([feed_entry(activity(n)) for n in range(count)])
        self.faults = Faults()
        self.app = compliance_app(
            self.feed, [GOOD, OLD, NARROW, EXPIRED], self.clock, faults=self.faults, own_rows=False, **options
        )
        self.keys: Sequence[str] = [key] if older is None else [key, older]
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://api.example")

    async def _fetch(self) -> Sequence[SecretStr]:
        return [SecretStr(key) for key in self.keys]

    async def reading(self, **options: Any) -> FeedReading:
        client = ComplianceClient(self.http, Keys(self._fetch), self.clock, version="2023-06-01", user_agent="test/1")
        return await ActivityFeed(client, **options).reading()

    @property
    def soon(self) -> datetime:
        return self.clock.now() + timedelta(minutes=5)


def activity(number: int) -> dict[str, Any]:
    at = NOON - timedelta(minutes=30) + timedelta(seconds=number)
    return {
        "id": f"activity_01{number:05d}",
        "type": "user_logged_out",
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "organization_id": "org_01A" if number % 2 else None,
        "organization_uuid": None,
        "actor": {"type": "user_actor", "user_id": "user_01"},
    }


def ids(items: Sequence[Any]) -> list[str]:
    return [item["id"] for item in items]


async def test_a_window_is_read_oldest_first_with_the_cursor_of_the_envelope() -> None:
    """Three pages of four make the ten activities, in order, each once."""
    api = Api()
    reading = await api.reading()
    position, seen = Position(WINDOW, limit=4), []
    while True:
        page = await reading.page(position, deadline=api.soon)
        seen += ids(page.items)
        if not page.has_more:
            break
        position = Position(WINDOW, cursor=page.last_id, limit=4)
    assert seen == [activity(n)["id"] for n in range(10)]
    assert reading.receipts.requests == 3 and len(set(reading.receipts.request_ids)) == 3
    assert page.server_time == NOON


async def test_default_order_sends_no_order_and_reads_newest_first() -> None:
    """The fallback for an API that refuses `order`."""
    api = Api(order_supported=False)
    reading = await api.reading()
    with pytest.raises(BadRequest):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    page = await reading.page(Position(WINDOW, "default", limit=2), deadline=api.soon)
    assert ids(page.items) == [activity(9)["id"], activity(8)["id"]]


async def test_filters_are_sent_when_asked_for() -> None:
    """Types and organizations filter the feed; rows without an organization are included."""
    api = Api()
    reading = await api.reading(organization_ids=("org_01A",))
    page = await reading.page(Position(WINDOW, activity_types=("user_logged_out",), limit=5000), deadline=api.soon)
    assert len(page.items) == 10
    page = await reading.page(Position(WINDOW, activity_types=("anthropic_access",), limit=5000), deadline=api.soon)
    assert page.items == [] and page.last_id is None and page.has_more is False


async def test_an_expired_cursor_is_a_bad_request() -> None:
    """The caller decides what to do; the client does not retry."""
    api = Api()
    reading = await api.reading()
    with pytest.raises(BadRequest):
        await reading.page(Position(WINDOW, cursor=Cursor("not-a-cursor"), limit=5000), deadline=api.soon)
    assert reading.receipts.requests == 1


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (EXPIRED.secret, "expired"),
        ("sk-ant-api01-unknown", "make a new one"),
        (NARROW.secret, "lacks the scope read:compliance_activities"),
        ("sk-ant-api03-claude", "wrong kind"),
    ],
)
async def test_a_refused_key_stops_the_run_with_the_remedy(key: str, says: str) -> None:
    """401, 403 and 404 are not retried; each message names who has to act, and none contains the key."""
    api = Api(key=key)
    reading = await api.reading()
    with pytest.raises(SourceRefused, match=says) as refused:
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert key not in str(refused.value)
    assert reading.receipts.requests == 1


async def test_a_rotated_key_falls_back_to_its_previous_version_within_the_run() -> None:
    """If the newest version is refused (not active yet), the previous one is used."""
    api = Api(key="sk-ant-api01-brand-new", older=OLD.secret)
    reading = await api.reading()
    page = await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert len(page.items) == 10 and reading.receipts.requests == 2


async def test_a_new_key_is_picked_up_at_the_next_run() -> None:
    """Keys are fetched when a run begins: rotation needs no restart."""
    api = Api(key=EXPIRED.secret)
    with pytest.raises(SourceRefused):
        await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)
    api.keys = [GOOD.secret]
    assert (await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)).items


@pytest.mark.parametrize(
    "kind", ["server_error", "overloaded", "bad_gateway", "rate_limited_bare", "cut_body", "not_json"]
)
async def test_passing_faults_are_waited_out(kind: str) -> None:
    """Two bad responses cost 1 and 2 seconds (plus jitter) and nothing else."""
    api = Api()
    api.faults.add(Fault(kind, times=2))
    reading = await api.reading()
    page = await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert len(page.items) == 10 and reading.receipts.requests == 3
    waited = (api.clock.now() - NOON).total_seconds()
    assert 3.0 <= waited <= 3.75


async def test_retry_after_is_a_floor() -> None:
    """The client waits the 40 seconds of Retry-After."""
    api = Api()
    api.faults.add(Fault("rate_limited", options={"retry_after": 40}))
    await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert (api.clock.now() - NOON).total_seconds() >= 40


async def test_nothing_waits_beyond_the_deadline() -> None:
    """With ten seconds left and a Retry-After of forty, the run ends immediately and resumes later."""
    api = Api()
    api.faults.add(Fault("rate_limited", options={"retry_after": 40}))
    reading = await api.reading()
    with pytest.raises(SourceBusy, match="busy"):
        await reading.page(Position(WINDOW, limit=5000), deadline=NOON + timedelta(seconds=10))
    assert api.clock.now() == NOON


async def test_a_final_500_is_not_tried_again_and_blames_the_window() -> None:
    """`x-should-retry: false` is obeyed."""
    api = Api()
    api.faults.add(Fault("server_error_final"))
    reading = await api.reading()
    with pytest.raises(SourceIncoherent, match="x-should-retry"):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert reading.receipts.requests == 1


async def test_an_outage_blames_nobody_but_a_page_cut_again_and_again_blames_the_window() -> None:
    """Five 500s leave the window unchanged; after five cut bodies it may be halved."""
    api = Api()
    api.faults.add(Fault("server_error", times=5))
    with pytest.raises(SourceBusy):
        await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)
    api.faults.add(Fault("cut_body", times=5))
    with pytest.raises(SourceIncoherent, match="several tries"):
        await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ConnectError])
async def test_an_api_that_hangs_blames_no_window(failure: type[httpx.TransportError]) -> None:
    """If no response starts on any attempt, the window stays unchanged: busy, not incoherent."""
    api = Api()

    def hang(request: httpx.Request) -> httpx.Response:
        raise failure("nothing came", request=request)

    api.http = httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="http://api.example")
    reading = await api.reading()
    with pytest.raises(SourceBusy, match="did not answer"):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert reading.receipts.requests == ATTEMPTS


async def test_a_page_that_stalls_half_way_again_and_again_blames_the_window() -> None:
    """A response that starts and does not end may be too long: a smaller window may help."""
    api = Api()

    async def stalled() -> AsyncIterator[bytes]:
        yield b'{"data": ['
        raise httpx.ReadTimeout("no more came")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=stalled()))
    api.http = httpx.AsyncClient(transport=transport, base_url="http://api.example")
    with pytest.raises(SourceIncoherent, match="broke off its answer"):
        await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)


@pytest.mark.parametrize("how", ["length", "chunked"])
async def test_a_connection_that_breaks_in_the_body_is_tried_again(how: str) -> None:
    """A connection reset within a body is not a short page."""
    api = Api()
    api.faults.add(Fault("cut_body", options={"how": how}))
    assert len((await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)).items) == 10


async def test_a_patient_reader_leaves_the_reserve_to_the_live_walk() -> None:
    """Below the reserve, history waits for the next minute, while live reading continues."""
    api = Api(requests_per_minute=6)
    reading = await api.reading()
    for _ in range(3):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    await reading.page(Position(WINDOW, limit=5000), deadline=api.soon, reserve=3)
    assert api.clock.now() >= NOON + timedelta(minutes=1) - timedelta(seconds=1)


async def test_a_patient_reader_ends_when_the_next_minute_is_too_late() -> None:
    """BudgetSpent keeps the position; nothing is sent and no error is reported."""
    api = Api(requests_per_minute=6)
    reading = await api.reading()
    for _ in range(4):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.soon)
    with pytest.raises(BudgetSpent):
        await reading.page(Position(WINDOW, limit=5000), deadline=api.clock.now() + timedelta(seconds=5), reserve=3)
    assert reading.receipts.requests == 4


async def test_odd_rows_do_not_spoil_their_page() -> None:
    """A lone surrogate and a 30-digit number arrive as text, flagged; the ten others arrive unchanged."""
    api = Api()
    odd = b'{"id":"activity_odd","type":"t","created_at":"2026-10-31T11:45:00Z","x":"\\ud800","n":%s}' % (b"9" * 30)
    api.feed.add(raw_entry(odd, at=NOON - timedelta(minutes=15), id="activity_odd"))
    page = await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)
    assert page.items[-1]["x"] == "\\ud800" and page.items[-1]["n"] == "9" * 30
    assert list(page.escaped) == [10] and len(page.items) == 11


async def test_a_redirect_is_not_followed() -> None:
    """The key is for one host only."""

    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "api.example"
        return httpx.Response(307, headers={"location": "https://evil.example/"})

    await _refused(elsewhere, "307")


async def test_headers_are_what_the_api_asks_for() -> None:
    """Key, version and user agent on every request; nothing personal in them."""

    def look(request: httpx.Request) -> httpx.Response:
        assert request.headers["x-api-key"] == GOOD.secret
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert request.headers["user-agent"] == "test/1"
        assert request.url.params["created_at.gte"] == "2026-10-31T11:00:00.000000Z"
        return httpx.Response(403, json={"error": {"message": "key sk-ant-api01-good of ann@example.com"}})

    refused = await _refused(look, "lacks the scope")
    assert "sk-ant" not in refused and "ann@" not in refused


async def _refused(handler: Callable[[httpx.Request], httpx.Response], says: str) -> str:
    api = Api()
    api.http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="https://api.example")
    with pytest.raises(SourceRefused, match=says) as refused:
        await (await api.reading()).page(Position(WINDOW, limit=5000), deadline=api.soon)
    return str(refused.value)
