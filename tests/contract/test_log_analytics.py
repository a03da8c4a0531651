"""The real sink with Azure's own client against the simulated ingestion endpoint, over HTTP on this machine."""

import asyncio
import gzip
import json
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError
from starlette.types import Receive, Scope, Send

from shared.errors import SinkBusy, SinkRefused, StoreFailed
from shared.models import Outgoing
from shared.sink.batches import SCHEMA_FAULT_ROWS, SINK_ATTEMPTS
from shared.sink.log_analytics import PACKED_AHEAD
from tests.contract.served import RULE, Endpoint, ids, rows
from tests.kql.workspace_world import NOON, STREAM


async def test_an_upload_is_exactly_the_rows(endpoint: Endpoint) -> None:
    """One gzip body with the bytes of each row, in order; recorded after the 204; counted."""
    batch = rows(5, size=40)
    async with endpoint.sink() as sink:
        sent = await sink.send(batch, endpoint.remember, deadline=endpoint.soon)
    (call,) = endpoint.recorder.calls
    body = b"[" + b",".join(each.body for each in batch) + b"]"
    assert gzip.decompress(call.body) == body
    assert call.headers["content-encoding"] == "gzip" and call.headers["content-type"] == "application/json"
    assert call.path == f"/dataCollectionRules/{RULE}/streams/{STREAM}" and "api-version=2023-01-01" in call.query
    assert call.headers["authorization"] == "Bearer publisher"
    assert endpoint.rows == endpoint.remembered == ids(5)
    assert (sent.rows, sent.batches, sent.bytes, sent.refused) == (5, 1, len(body), [])


async def test_no_rows_are_no_upload(endpoint: Endpoint) -> None:
    """A page without new rows makes no request."""
    async with endpoint.sink() as sink:
        sent = await sink.send([], endpoint.remember, deadline=endpoint.soon)
    assert (sent.batches, endpoint.recorder.calls, endpoint.remembered) == (0, [], [])


async def test_a_page_larger_than_an_upload_goes_in_several(endpoint: Endpoint) -> None:
    """Each body is within the limit, and together they are the page."""
    async with endpoint.sink(limit_bytes=10_000) as sink:
        sent = await sink.send(rows(50, size=1000), endpoint.remember, deadline=endpoint.soon)
    bodies = [gzip.decompress(call.body) for call in endpoint.recorder.calls]
    assert len(bodies) == sent.batches > 1 and max(map(len, bodies)) <= 10_000
    assert sorted(endpoint.rows) == sorted(endpoint.remembered) == ids(50)
    assert sent.bytes == sum(map(len, bodies))


class Watched(list[Outgoing]):
    """Rows that count how many were consumed."""

    taken = 0

    def __iter__(self) -> Iterator[Outgoing]:
        for each in super().__iter__():
            self.taken += 1
            yield each


async def test_a_body_is_made_when_its_turn_has_come(endpoint: Endpoint) -> None:
    """When the first of twenty uploads is recorded, at most four bodies, and the row after each, were created."""
    page, taken = Watched(rows(20, size=100)), list[int]()

    async def remember(batch: Sequence[Outgoing]) -> None:
        taken.append(page.taken)
        await endpoint.remember(batch)

    async with endpoint.sink(limit_bytes=len(page[0].body) + 2) as sink:
        sent = await sink.send(page, remember, deadline=endpoint.soon)
    assert (sent.batches, sorted(endpoint.remembered)) == (20, ids(20))
    assert taken[0] <= PACKED_AHEAD + 1
    assert taken[-1] == 20


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(endpoint: Endpoint, status: int) -> None:
    """No row reaches another host, nothing is recorded as sent, and the error names the host."""
    elsewhere = list[str]()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        elsewhere.append(scope["path"])
        target = [(b"location", f"{endpoint.url}/elsewhere".encode())] if scope["path"] != "/elsewhere" else []
        await send({"type": "http.response.start", "status": status if target else 204, "headers": target})
        await send({"type": "http.response.body", "body": b""})

    endpoint.recorder.app = answer
    async with endpoint.sink() as sink:
        with pytest.raises(SinkRefused, match=r"redirects to 127\.0\.0\.1, which is not followed"):
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert "/elsewhere" not in elsewhere and endpoint.remembered == []


async def test_too_large_is_halved_until_it_fits(endpoint: Endpoint) -> None:
    """With our limit set too high, the endpoint's limit of a mebibyte applies: no row is lost or refused."""
    async with endpoint.sink(limit_bytes=4_000_000) as sink:
        sent = await sink.send(rows(40, size=60_000), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.metrics.calls[413] >= 1 and sent.refused == []
    assert endpoint.rows == endpoint.remembered == ids(40)


async def test_a_single_row_that_is_too_large_is_the_only_one_refused(endpoint: Endpoint) -> None:
    """413 down to one row: it is returned with the service's message, the others are stored once."""
    endpoint.fail("too_large", times=1000, match=lambda facts: any(each["Id"] == "a005" for each in facts["elements"]))
    async with endpoint.sink() as sink:
        sent = await sink.send(rows(9), endpoint.remember, deadline=endpoint.soon)
    ((refused, reason),) = sent.refused
    assert refused.id == "a005" and reason.startswith("413: ContentLengthLimitExceeded Maximum allowed content length")
    assert sorted(endpoint.rows) == sorted(endpoint.remembered) == [each for each in ids(9) if each != "a005"]


@pytest.mark.parametrize("bad", [{"a000"}, {"a063"}, {"a007", "a008", "a040"}, {f"a{n:03d}" for n in range(0, 50, 5)}])
async def test_refused_rows_are_found_and_only_they_come_back(endpoint: Endpoint, bad: set[str]) -> None:
    """400 bisects: each bad row has the service's message, every other row is stored exactly once and recorded."""
    endpoint.fail("refuse_rows", times=1000, where=lambda element: element["Id"] in bad)
    async with endpoint.sink() as sink:
        sent = await sink.send(rows(64), endpoint.remember, deadline=endpoint.soon)
    assert {refused.id for refused, _ in sent.refused} == bad and len(sent.refused) == len(bad)
    assert {reason for _, reason in sent.refused} == {"400: InvalidRow The call holds a row that cannot be processed"}
    assert endpoint.rows == endpoint.remembered == [each for each in ids(64) if each not in bad]


async def test_more_refused_rows_than_an_accident_are_a_schema_fault(endpoint: Endpoint) -> None:
    """More than ten in a page: SinkRefused with what to deploy, after few calls, with the accepted rows recorded."""
    endpoint.fail("refuse_rows", times=1000, where=lambda element: element["Id"] >= "a020")
    async with endpoint.sink() as sink:
        with pytest.raises(SinkRefused, match="deploy the tables and the DCR again"):
            await sink.send(rows(400), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.rows == endpoint.remembered and set(endpoint.rows) <= set(ids(20))
    assert endpoint.metrics.calls[400] < 8 * SCHEMA_FAULT_ROWS


@pytest.mark.parametrize("kind", ["throttled", "unavailable"])
async def test_retry_after_is_waited_in_full(endpoint: Endpoint, kind: str) -> None:
    """429 and 503 with Retry-After: the next attempt is not earlier, and the rows arrive once."""
    endpoint.fail(kind, times=2, retry_after=40)
    async with endpoint.sink() as sink:
        await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    waited = (endpoint.clock.now() - NOON).total_seconds()
    assert 80 <= waited < 100 and endpoint.rows == endpoint.remembered == ids(3)


@pytest.mark.parametrize("kind", ["throttled_bare", "server_error", "unavailable"])
async def test_what_is_busy_is_tried_again(endpoint: Endpoint, kind: str) -> None:
    """A 429 without Retry-After, which the client itself does not retry, and 5xx: backoff grows, the rows arrive."""
    endpoint.fail(kind, times=3)
    async with endpoint.sink() as sink:
        await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.rows == ids(3) and endpoint.metrics.calls[204] == 1
    assert (endpoint.clock.now() - NOON).total_seconds() >= 1 + 2 + 4


@pytest.mark.parametrize("kind", ["throttled_bare", "server_error"])
async def test_what_stays_busy_ends_the_run(endpoint: Endpoint, kind: str) -> None:
    """SinkBusy after the last attempt, nothing recorded, and the deadline is not exceeded."""
    endpoint.fail(kind, times=1000)
    deadline = endpoint.clock.now() + timedelta(hours=1)
    async with endpoint.sink() as sink:
        with pytest.raises(SinkBusy, match="busy"):
            await sink.send(rows(3), endpoint.remember, deadline=deadline)
    assert len(endpoint.recorder.calls) == SINK_ATTEMPTS and endpoint.remembered == []


async def test_a_long_retry_after_does_not_outlast_the_run(endpoint: Endpoint) -> None:
    """A Retry-After of an hour with a minute left: SinkBusy immediately, without waiting."""
    endpoint.fail("throttled", times=1000, retry_after=3600)
    async with endpoint.sink() as sink:
        with pytest.raises(SinkBusy) as busy:
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.clock.now() + timedelta(minutes=1))
    assert busy.value.after == 3600 and endpoint.clock.now() == NOON and len(endpoint.recorder.calls) == 1


async def test_a_connection_cut_after_storing_costs_a_repeat_and_no_row(endpoint: Endpoint) -> None:
    """The outcome is unknown to the sink; it sends again, and records once."""
    endpoint.fail("stored_then_reset")
    async with endpoint.sink() as sink:
        sent = await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.rows == ids(3) * 2 and endpoint.remembered == ids(3) and sent.rows == 3


async def test_an_endpoint_that_never_answers_is_given_up(endpoint: Endpoint) -> None:
    """The client's read timeout ends the attempt; the next one succeeds."""
    endpoint.fail("timeout")
    async with endpoint.sink(read_timeout=0.2) as sink:
        await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.rows == endpoint.remembered == ids(3)


async def test_nobody_at_the_address_is_busy_and_not_a_crash() -> None:
    """Connection refused: retried like other failures, then SinkBusy."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}")
        async with endpoint.sink() as sink:
            with pytest.raises(SinkBusy, match="did not answer"):
                await sink.send(rows(1), endpoint.remember, deadline=endpoint.soon)


async def test_a_refused_token_is_renewed_once(endpoint: Endpoint) -> None:
    """One 401: the client requests a new token, and the upload succeeds."""
    endpoint.fail("unauthorized_once")
    async with endpoint.sink() as sink:
        await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.rows == endpoint.remembered == ids(3)
    assert (endpoint.metrics.calls[401], endpoint.credential.asked) == (1, 2)


async def test_a_token_that_stays_refused_is_the_operators_matter(endpoint: Endpoint) -> None:
    """A second 401 is an error."""
    endpoint.credential.token = "unknown"
    async with endpoint.sink() as sink:
        with pytest.raises(SinkRefused, match="check the identity and INGESTION_AUDIENCE") as refused:
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert len(endpoint.recorder.calls) == 2 and "unknown" not in str(refused.value)


async def test_an_identity_that_gets_no_token_is_told_so(endpoint: Endpoint) -> None:
    """Without sign-in or managed identity the message names that, not a status of the endpoint."""
    endpoint.credential.failure = ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token")
    async with endpoint.sink() as sink:
        with pytest.raises(SinkRefused) as refused:
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert endpoint.recorder.calls == []
    said = str(refused.value)
    assert "None" not in said and "not one the service documents" not in said
    assert "sign in" in said or "identity" in said


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"token": "stranger"}, "needs Monitoring Metrics Publisher on the DCR"),
        ({"rule": "dcr-" + "ff" * 16}, "check INGESTION_ENDPOINT, DCR_IMMUTABLE_ID"),
    ],
    ids=["403", "404"],
)
async def test_a_refusal_stops_at_once_with_the_remedy(endpoint: Endpoint, change: dict[str, str], remedy: str) -> None:
    """No retry, nothing recorded, and the message names the role or setting that is wrong."""
    endpoint.credential.token = change.pop("token", "publisher")
    async with endpoint.sink(**change) as sink:  # type: ignore[arg-type]
        with pytest.raises(SinkRefused, match=remedy):
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)
    assert len(endpoint.recorder.calls) == 1 and endpoint.remembered == []


async def test_a_stream_the_rule_does_not_know_is_no_page_of_bad_rows(endpoint: Endpoint) -> None:
    """The service returns 400 for that too; a small tenant's few rows must not all become dead letters."""
    async with endpoint.sink(stream="Custom-Older_CL") as sink:
        with pytest.raises(SinkRefused, match="stream"):
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.soon)


async def test_one_upload_that_fails_does_not_hide_what_the_others_delivered(endpoint: Endpoint) -> None:
    """The error is raised after every upload in flight has ended; accepted rows are recorded."""
    endpoint.fail("forbidden", match=lambda facts: any(each["Id"] == "a004" for each in facts["elements"]))
    async with endpoint.sink(limit_bytes=2_100) as sink:
        with pytest.raises(SinkRefused):
            await sink.send(rows(12, size=500), endpoint.remember, deadline=endpoint.soon)
    assert sorted(endpoint.rows) == sorted(endpoint.remembered) and 4 <= len(endpoint.rows) < 12


async def test_a_ledger_that_cannot_be_written_is_not_hidden(endpoint: Endpoint) -> None:
    """The rows are stored, but the run must stop."""

    async def full(_: Sequence[Outgoing]) -> None:
        raise StoreFailed("free some space")

    async with endpoint.sink() as sink:
        with pytest.raises(StoreFailed):
            await sink.send(rows(3), full, deadline=endpoint.soon)
    assert endpoint.rows == ids(3)


@pytest.mark.parametrize("in_flight", [1, 4])
async def test_no_more_uploads_are_in_flight_than_allowed(endpoint: Endpoint, in_flight: int) -> None:
    """Across two concurrent pages: the limit is the sink's, not the page's."""
    endpoint.recorder.gathering = in_flight
    async with endpoint.sink(limit_bytes=1_100, in_flight=in_flight) as sink:
        batch = rows(6, size=1000)
        pages = (sink.send(batch[:3], endpoint.remember, deadline=endpoint.soon), batch[3:])
        await asyncio.gather(pages[0], sink.send(pages[1], endpoint.remember, deadline=endpoint.soon))
    assert endpoint.recorder.most == in_flight and sorted(endpoint.remembered) == ids(6)


async def test_probe_says_that_everything_is_right_and_stores_nothing(endpoint: Endpoint) -> None:
    """An empty array is answered 204."""
    async with endpoint.sink() as sink:
        await sink.probe(deadline=endpoint.soon)
    assert gzip.decompress(endpoint.recorder.calls[0].body) == b"[]" and endpoint.metrics.calls == {204: 1}
    assert endpoint.rows == []


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"token": "stranger"}, "Monitoring Metrics Publisher"),
        ({"rule": "dcr-" + "ff" * 16}, "DCR_IMMUTABLE_ID"),
        ({"stream": "Custom-Older_CL"}, "stream"),
    ],
    ids=["role", "rule", "stream"],
)
async def test_probe_says_what_is_wrong(endpoint: Endpoint, change: dict[str, str], remedy: str) -> None:
    """Always as SinkRefused with the remedy."""
    endpoint.credential.token = change.pop("token", "publisher")
    async with endpoint.sink(**change) as sink:  # type: ignore[arg-type]
        with pytest.raises(SinkRefused, match=remedy):
            await sink.probe(deadline=endpoint.soon)


async def test_the_services_words_are_masked_and_short(endpoint: Endpoint) -> None:
    """The service's message may quote a person's address: it is masked in files and logs."""
    quoting = "ann@example.com " + "x" * 2000

    async def says(scope: Scope, receive: Receive, send: Send) -> None:
        body = json.dumps({"error": {"code": "InvalidRow", "message": quoting}}).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": head})
        await send({"type": "http.response.body", "body": body})

    endpoint.recorder.app = says
    async with endpoint.sink() as sink:
        with pytest.raises(SinkRefused) as refused:
            await sink.send(rows(1), endpoint.remember, deadline=endpoint.soon)
    reason = str(refused.value)
    assert "400: InvalidRow <address>" in reason and "ann@" not in reason and len(reason) < 600
