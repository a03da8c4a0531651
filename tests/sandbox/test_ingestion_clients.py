"""Azure's own ingestion clients against the endpoint, over real HTTP (logs-ingestion.md sections 6 and 7)."""

import asyncio
import gzip
import io
import json
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.monitor.ingestion import LogsIngestionClient
from azure.monitor.ingestion.aio import LogsIngestionClient as AsyncLogsIngestionClient

from sandbox.compliance.server import Served
from tests.kql.workspace_world import STREAM
from tests.sandbox.credentials import AsyncCredential, Credential
from tests.sandbox.ingestion_world import RULE, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with Served(world.app) as served:
        yield served.url


def packed(rows: list[dict[str, Any]]) -> io.BytesIO:
    return io.BytesIO(gzip.compress(json.dumps(rows).encode(), compresslevel=1))


def upload(url: str, logs: Any, *, token: str = "publisher", rule: str = RULE, **options: Any) -> None:
    with LogsIngestionClient(url, Credential(token)) as client:
        client.upload(rule, STREAM, logs, enforce_https=False, **{"retry_total": 0, **options})


def test_the_stream_door_carries_our_own_batches(world: World, url: str) -> None:
    """Section 6: a ready gzip stream is sent as it is, in one call, marked as gzip."""
    upload(url, packed([{"Id": "a"}, {"Id": "b"}]))
    assert world.stored() == [("a",), ("b",)]
    assert world.metrics.calls == {204: 1}


async def test_the_async_client_keeps_four_in_flight(world: World, url: str) -> None:
    """Section 7: four uploads at once, each stored whole."""
    async with AsyncLogsIngestionClient(url, AsyncCredential("publisher")) as client, asyncio.TaskGroup() as group:
        for batch in range(8):
            rows = [{"Id": f"{batch}-{number}"} for number in range(50)]
            group.create_task(client.upload(RULE, STREAM, packed(rows), enforce_https=False))
    assert len(set(world.stored())) == 400
    assert world.metrics.rows_stored == 400


def test_the_list_door_works_within_the_documented_limit(world: World, url: str) -> None:
    """Section 6: a plain list is sent in the client's own chunk, if that is well under a mebibyte."""
    upload(url, [{"Id": "a" * 1000, "Size": number} for number in range(500)])
    assert len(world.stored()) == 500


def test_the_clients_own_full_chunk_is_too_large_here(url: str) -> None:
    """Sections 2 and 6: the client does not count separators and exceeds the documented limit, which gives 413."""
    with pytest.raises(HttpResponseError) as refused:
        upload(url, [{"Id": "a" * 1000, "Size": number} for number in range(1500)])
    assert refused.value.status_code == 413


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"token": "unknown"}, ClientAuthenticationError, 401),
        ({"token": "stranger"}, HttpResponseError, 403),
        ({"rule": "dcr-" + "f" * 32}, ResourceNotFoundError, 404),
    ],
)
def test_the_client_tells_refusals_apart(
    url: str, change: dict[str, str], error: type[HttpResponseError], status: int
) -> None:
    """Section 6: each status is the client's own class, and the error's code can be read."""
    with pytest.raises(error) as refused:
        upload(url, packed([{"Id": "a"}]), **change)
    assert refused.value.status_code == status
    assert refused.value.error is None or refused.value.error.code


def test_retry_total_zero_leaves_retries_to_us(world: World, url: str) -> None:
    """Section 6: with no retries a 429 comes back at once with its Retry-After."""
    world.fail("throttled", retry_after=3600)
    with pytest.raises(HttpResponseError) as refused:
        upload(url, packed([{"Id": "a"}]))
    assert refused.value.status_code == 429
    assert cast(Any, refused.value.response).headers["Retry-After"] == "3600"


def test_the_client_retries_a_busy_server_but_not_a_bare_429(world: World, url: str) -> None:
    """Section 6: with its own retries a 500 is retried, a 429 without Retry-After is not."""
    world.fail("server_error")
    upload(url, packed([{"Id": "a"}]), retry_total=3)
    world.fail("throttled_bare")
    with pytest.raises(HttpResponseError):
        upload(url, packed([{"Id": "b"}]), retry_total=3)
    assert world.stored() == [("a",)]
    assert world.metrics.calls == {500: 1, 204: 1, 429: 1}


def test_the_client_sees_a_cut_connection(world: World, url: str) -> None:
    """Section 6: a reset is not retried and leaves the outcome unknown; the rows are stored."""
    world.fail("stored_then_reset")
    with pytest.raises(ServiceResponseError):
        upload(url, packed([{"Id": "a"}]), retry_total=3)
    assert world.stored() == [("a",)]


@pytest.mark.long
def test_the_endpoint_keeps_up(world: World, url: str) -> None:
    """20 calls of 1,000 rows pass at thousands of rows a second, client included."""
    batches = [[{"Id": f"{batch}-{number}", "Size": number} for number in range(1000)] for batch in range(20)]
    started = time.perf_counter()
    for batch in batches:
        upload(url, packed(batch))
    assert 20_000 / (time.perf_counter() - started) > 5_000
    assert world.metrics.rows_stored == 20_000
