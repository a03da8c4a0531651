"""The same application over real HTTP: behavior that needs a socket (compliance-api.md sections 1, 4 and 6)."""

import logging
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.compliance.server import Served
from sandbox.faults import Fault, Faults
from tests.sandbox.compliance_world import ACTIVITIES, BRIDGE, NOON, World, entry, minutes_before_noon

HEADERS = {"x-api-key": BRIDGE.secret, "anthropic-version": "2023-06-01"}


def ask(served: Served, path: str = ACTIVITIES, *, timeout: float = 5, **params: Any) -> httpx.Response:
    return httpx.get(served.url + path, params=params, headers=HEADERS, timeout=timeout, trust_env=False)


def test_a_large_page_arrives_whole() -> None:
    """Section 6.2: a page of 5,000 rows works, with one Date header and no Server header."""
    world = World(*(entry(number, NOON - timedelta(seconds=number)) for number in range(5001)))
    with Served(world.app) as served:
        response = ask(served, limit=5000)
    assert len(response.json()["data"]) == 5000
    assert response.json()["has_more"] is True
    assert response.headers.get_list("date") == ["Mon, 05 Oct 2026 12:00:00 GMT"]
    assert "server" not in response.headers


def test_a_walk_over_http_is_complete() -> None:
    """Section 5: the same paging as in process, through a real client and a persistent connection."""
    world = World(*minutes_before_noon(10))
    seen: list[str] = []
    params: dict[str, str | int] = {"order": "asc", "limit": 3}
    with Served(world.app) as served, httpx.Client(base_url=served.url, headers=HEADERS, trust_env=False) as client:
        while True:
            page = client.get(ACTIVITIES, params=params).json()
            seen += [each["id"] for each in page["data"]]
            if not page["has_more"]:
                break
            params["after_id"] = page["last_id"]
    assert seen == [f"activity_01{number:05d}" for number in range(10)]


@pytest.mark.parametrize(("how", "words"), [("length", "without sending complete"), ("chunked", "incomplete chunked")])
def test_a_body_cut_on_the_wire_is_a_protocol_error(how: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    """Section 12's early end of a body: the client notices, the log stays clean, the next request works."""
    faults = Faults()
    faults.add(Fault("cut_body", options={"how": how}))
    world = World(*minutes_before_noon(10), faults=faults)
    with caplog.at_level(logging.WARNING), Served(world.app) as served:
        with pytest.raises(httpx.RemoteProtocolError, match=words):
            ask(served)
        assert ask(served).status_code == 200
    assert caplog.records == []


def test_a_patient_client_sees_the_hang_up_and_an_impatient_one_its_own_limit() -> None:
    """Section 4's time-outs: the connection is held, then dropped."""
    faults = Faults()
    faults.add(Fault("timeout", times=2, options={"seconds": 0.4}))
    world = World(faults=faults)
    with Served(world.app) as served:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(served)
        with pytest.raises(httpx.ReadTimeout):
            ask(served, timeout=0.1)
        assert ask(served).status_code == 200


def test_a_lost_answer_still_left_its_activity() -> None:
    """Section 6.4: the API served and recorded what the client never received, under an id it never saw."""
    faults = Faults()
    faults.add(Fault("timeout"))
    world = World(faults=faults, own_rows=True)
    with Served(world.app) as served:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(served)
        world.clock.advance(timedelta(seconds=2))
        rows = ask(served).json()["data"]
    assert [row["type"] for row in rows] == ["compliance_api_accessed"]


def test_several_apps_share_one_server() -> None:
    """Section 1's paths hold under a mount too: the recorded url is the public one."""
    world = World(own_rows=True)
    house = Starlette(routes=[Mount("/claude", app=world.app)])
    with Served(house) as served:
        assert ask(served, "/claude" + ACTIVITIES).status_code == 200
        world.clock.advance(timedelta(seconds=2))
        rows = ask(served, "/claude" + ACTIVITIES).json()["data"]
    assert [row["url"] for row in rows] == [f"https://api.anthropic.com{ACTIVITIES}"]


def test_the_port_is_free_again_afterwards() -> None:
    """After a served app ends, its port is free immediately."""
    world = World()
    with Served(world.app) as served:
        port = int(served.url.rsplit(":", 1)[1])
    with pytest.raises(httpx.ConnectError):
        ask(served)
    with Served(world.app, port=port) as again:
        assert ask(again).status_code == 200


def test_a_held_connection_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """Leaving the block ends a request delayed by a minute, without a log message."""
    faults = Faults()
    faults.add(Fault("timeout", options={"seconds": 60}))
    began = time.perf_counter()
    served = Served(World(faults=faults).app)
    with caplog.at_level(logging.WARNING), served, pytest.raises(httpx.ReadTimeout):
        ask(served, timeout=0.1)
    assert time.perf_counter() - began < 10
    assert caplog.records == []
