"""Deadlines bound whatever leaves the process: a slow body, a silent service, a credential that hangs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from shared import retry
from shared.clock import SystemClock
from shared.errors import SinkBusy, SourceBusy
from shared.models import Receipts
from shared.source import key_vault
from shared.source.client import ComplianceClient, Keys
from shared.source.endpoints import ACTIVITIES
from tests.contract.served import Endpoint, rows

SOON = timedelta(seconds=0.2)


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "GRACE_SECONDS", 0.2)


class _Drip(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)


async def _silent(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _dripping(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=_Drip())


@pytest.mark.parametrize("handler", [_silent, _dripping])
async def test_a_request_ends_at_the_deadline(handler: Any) -> None:
    """Headers that never come, and a body that never ends: busy, and a smaller page may help."""

    async def fetch() -> list[SecretStr]:
        return [SecretStr("sk-ant-api01-x")]

    clock = SystemClock()
    async with httpx.AsyncClient(base_url="https://api.example.com", transport=httpx.MockTransport(handler)) as http:
        client = ComplianceClient(http, Keys(fetch), clock, version="2023-06-01", user_agent="test")
        with pytest.raises(SourceBusy, match="when the run's time was up") as late:
            async with asyncio.timeout(10):
                await client.get(ACTIVITIES, (), Receipts(), deadline=clock.now() + SOON)
    assert late.value.about_page


async def test_an_upload_whose_token_never_comes_ends_at_the_deadline(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded as sent; the lease is free for the next run."""

    async def hangs(*_: str, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(endpoint.credential, "get_token", hangs)
    async with endpoint.sink() as sink, asyncio.timeout(10):
        with pytest.raises(SinkBusy, match="when the run's time was up"):
            await sink.send(rows(3), endpoint.remember, deadline=endpoint.clock.now() + SOON)
    assert endpoint.remembered == []


async def test_a_vault_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is read before a run has a deadline of its own."""

    class Hanging:
        async def list_properties_of_secret_versions(self, _: str) -> AsyncIterator[Any]:
            await asyncio.Event().wait()
            yield None

    monkeypatch.setattr(key_vault, "ANSWER_SECONDS", 0.1)
    with pytest.raises(SourceBusy, match="did not answer within"):
        await key_vault.vault_keys(Hanging(), "key", SystemClock())  # type: ignore[arg-type]


async def test_a_time_out_of_somebody_else_is_not_the_deadlines() -> None:
    """A TimeoutError raised inside, before the deadline, stays what it is."""
    clock = SystemClock()
    with pytest.raises(TimeoutError):
        async with retry.bounded(clock, clock.now() + timedelta(hours=1), SinkBusy("late")):
            raise TimeoutError
