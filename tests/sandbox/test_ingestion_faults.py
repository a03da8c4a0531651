"""Injected faults: each of them, and that it ends."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.compliance.server import Served
from sandbox.faults import Fault
from tests.kql.workspace_world import NOON
from tests.sandbox.ingestion_world import HEADERS, PATH, VERSION, World

ROWS = [{"Id": "a"}, {"Id": "b"}]


@pytest.mark.parametrize(
    ("kind", "options", "status", "retry_after"),
    [
        ("throttled", {"retry_after": 7}, 429, "7"),
        ("throttled", {}, 429, "1"),
        ("throttled_bare", {}, 429, None),
        ("server_error", {}, 500, None),
        ("unavailable", {"retry_after": 2}, 503, "2"),
        ("forbidden", {}, 403, None),
        ("unauthorized_once", {}, 401, None),
        ("too_large", {}, 413, None),
    ],
)
async def test_a_refusal_on_request_stores_nothing(
    kind: str, options: dict[str, Any], status: int, retry_after: str | None
) -> None:
    """logs-ingestion.md section 3: the codes a client must tell apart; afterwards the same call is accepted."""
    world = World()
    world.fail(kind, **options)
    response = await world.post(ROWS)
    assert (response.status_code, response.headers.get("retry-after")) == (status, retry_after)
    assert set(response.json()["error"]) == {"code", "message"}
    assert world.stored() == []
    assert (await world.post(ROWS)).status_code == 204
    assert world.stored() == [("a",), ("b",)]
    assert world.metrics.calls == {status: 1, 204: 1}


async def test_the_fault_knows_the_call() -> None:
    """A fault can match method, path, rows, bytes and time."""
    world = World()
    seen: list[dict[str, Any]] = []

    def watch(facts: Mapping[str, Any]) -> bool:
        seen.append(dict(facts))
        return False

    world.faults.add(Fault("server_error", match=watch))
    assert (await world.post(ROWS, zipped=True)).status_code == 204
    (facts,) = seen
    assert facts.pop("bytes") > 20
    assert [row["Id"] for row in facts.pop("elements")] == ["a", "b"]
    assert facts == {"method": "POST", "path": PATH, "rows": 2, "now": NOON}


async def test_a_poisoned_row_can_be_found_by_halving() -> None:
    """Section 3: a call is refused as a whole; halving it leads to the one bad row and stores all the others."""
    world = World()
    world.fail("refuse_rows", times=100, where=lambda row: row.get("Name") == "poison")
    refused: list[dict[str, str]] = []

    async def send(rows: list[dict[str, str]]) -> None:
        if (await world.post(rows)).status_code == 204:
            return
        if len(rows) == 1:
            refused.extend(rows)
            return
        await send(rows[: len(rows) // 2])
        await send(rows[len(rows) // 2 :])

    rows = [{"Id": f"{number:02}", "Name": "poison" if number == 11 else "fine"} for number in range(16)]
    await send(rows)
    assert refused == [rows[11]]
    assert world.stored() == [(row["Id"],) for row in rows if row is not rows[11]]
    assert world.metrics.calls[400] == 5


async def test_accepted_is_not_stored() -> None:
    """Section 4: a 204 after which no row is stored."""
    world = World()
    world.fail("not_stored")
    assert (await world.post(ROWS)).status_code == 204
    assert world.stored() == []
    assert world.metrics.rows_stored == 0


async def test_latency_passes_on_the_clock() -> None:
    """Latency is by the sandbox's clock, and the response is the usual one."""
    world = World()
    world.fail("latency", seconds=30)
    assert (await world.post(ROWS)).status_code == 204
    assert world.clock.now() == NOON + timedelta(seconds=30)
    assert len(world.stored()) == 2


async def test_a_reset_in_process_is_an_error_of_the_call() -> None:
    """Without a socket the ambiguous case is a ConnectionResetError with the rows stored."""
    world = World()
    world.fail("stored_then_reset")
    with pytest.raises(ConnectionResetError):
        await world.post(ROWS)
    assert len(world.stored()) == 2


def test_a_reset_after_storing_is_ambiguous_to_the_client() -> None:
    """Section 3: the response is lost, the rows are not; sending again stores them twice."""
    world = World()
    world.fail("stored_then_reset")
    with Served(world.app) as served, httpx.Client(base_url=served.url, trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            client.post(PATH, params=VERSION, headers=HEADERS, json=ROWS)
        assert len(world.stored()) == 2
        assert client.post(PATH, params=VERSION, headers=HEADERS, json=ROWS).status_code == 204
    assert sorted(world.stored()) == [("a",), ("a",), ("b",), ("b",)]


def test_a_timeout_never_answers() -> None:
    """Section 6: a client that waits a limited time gives up; nothing was stored, the next call works."""
    world = World()
    world.fail("timeout")
    with Served(world.app) as served, httpx.Client(base_url=served.url, trust_env=False) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(PATH, params=VERSION, headers=HEADERS, json=ROWS, timeout=0.3)
        assert world.stored() == []
        assert client.post(PATH, params=VERSION, headers=HEADERS, json=ROWS).status_code == 204
