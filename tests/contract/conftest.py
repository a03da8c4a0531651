"""One server for all contract tests of the sink; each puts its own endpoint behind it."""

from collections.abc import Iterator

import pytest

from sandbox.compliance.server import Served
from tests.contract.served import Door, Endpoint


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[Door, str]]:
    made = Door()
    with Served(made) as served:
        yield made, served.url


@pytest.fixture
def endpoint(door: tuple[Door, str]) -> Endpoint:
    server, url = door
    made = Endpoint(url)
    server.behind = made.recorder
    return made
