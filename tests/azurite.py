"""Blob storage for tests: Microsoft's emulator, started once for all of them (PYTEST_DONT_REWRITE: asserts nothing)."""

import itertools
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import ContainerClient

from shared.state.blob_store import open_container
from tools import optional

ROOT = Path(__file__).parent.parent
ACCOUNT = "devstoreaccount1"
# The emulator's published key, valid only for an emulator.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_SECONDS = 30.0


@dataclass(frozen=True)
class Azurite:
    """A running emulator; `url` is its account's address."""

    url: str
    credential: AzureNamedKeyCredential = field(default_factory=lambda: AzureNamedKeyCredential(ACCOUNT, KEY))
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    @asynccontextmanager
    async def container(self, name: str | None = None, **options: Any) -> AsyncIterator[ContainerClient]:
        """A client for a new container, or for the one called `name`; created here, as the deployment does."""
        url = f"{self.url}/{name or f'state-{next(self._numbers)}'}"
        async with open_container(url, self.credential, **options) as client:
            with suppress(ResourceExistsError):  # an earlier process created it
                await client.create_container()
            yield client


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """The emulator; if it is missing, tests that need it are skipped with what to install."""
    if missing := optional.missing("node", "azurite"):
        pytest.skip(f"BLOB STORAGE IS NOT TESTED: {missing}")
    with running(ROOT / "node_modules/.bin/azurite-blob") as emulator:
        yield emulator


@contextmanager
def running(command: Path) -> Iterator[Azurite]:
    """Azurite's Blob service on a free port, with nothing on disk; ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(
        [command, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_it_answers(process, port)
        yield Azurite(f"http://127.0.0.1:{port}/{ACCOUNT}")
    finally:
        process.terminate()
        process.communicate()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Poll until there is any HTTP response. Raises RuntimeError with the output of Azurite."""
    tries = int(START_SECONDS / 0.1)
    for _ in range(tries):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            pass
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    process.kill()
    raise RuntimeError(f"azurite did not start: {process.communicate()[1].decode(errors='replace')[-500:]}")
