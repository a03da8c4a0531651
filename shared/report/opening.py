"""Opens what the settings name: the workspace to ask, the container or folder to write to, the key to sign with."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto.aio import CryptographyClient
from azure.monitor.query.aio import LogsQueryClient
from azure.storage.blob.aio import ContainerClient

from shared.archive.seal import PublicKey, VaultSigner, vault_public_key
from shared.archive.store import BlobShelf, Shelf
from shared.clock import Clock
from shared.errors import ConfigError
from shared.report.writing import Reporter
from shared.settings import LOOPBACK, Settings
from shared.workspace.client import LogAnalyticsWorkspace

BLOB_API = "2023-11-03"
VAULT_API = "7.4"
"""Both named, because the SDK's newest is not yet known in every cloud; nothing newer is used."""
PATIENCE: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 60}
_KEY_ID = re.compile(r"(https://[^/]+)/keys/([0-9A-Za-z-]{1,127})(?:/([0-9a-f]{32}))?/?")


@asynccontextmanager
async def open_reporter(
    settings: Settings, credential: AsyncTokenCredential, clock: Clock, *, shelf: Shelf | None = None
) -> AsyncIterator[Reporter]:
    """Everything a report needs; `shelf` replaces the container. Raises ConfigError for what is missing."""
    if settings.workspace_id is None:
        raise ConfigError("WORKSPACE_ID must be set: a report asks the workspace")
    async with AsyncExitStack() as stack:
        url = settings.query_endpoint
        client = await stack.enter_async_context(LogsQueryClient(credential, endpoint=url))
        signer = None
        if settings.report_signing_key is not None:
            key, public = await _signing_key(settings.report_signing_key, credential)
            crypto = CryptographyClient(key, credential, api_version=VAULT_API, **PATIENCE)
            await stack.enter_async_context(crypto)
            signer = VaultSigner(key, public, crypto)
        yield Reporter(
            client=LogAnalyticsWorkspace(
                client, settings.workspace_id, clock, enforce_https=urlsplit(url).hostname not in LOOPBACK
            ),
            shelf=shelf or await _shelf(settings, credential, stack),
            clock=clock,
            signer=signer,
            names=settings.report_names,
            connections=tuple(connection.name for connection in settings.connections),
        )


@asynccontextmanager
async def open_container(url: str, credential: AsyncTokenCredential) -> AsyncIterator[Shelf]:
    """The shelf in one container."""
    async with ContainerClient.from_container_url(url, credential, api_version=BLOB_API, **PATIENCE) as container:
        yield BlobShelf(container)


async def signing_key(settings: Settings, credential: AsyncTokenCredential) -> PublicKey:
    """The public half of REPORT_SIGNING_KEY, from the vault. Raises ConfigError or SinkBusy."""
    if settings.report_signing_key is None:
        raise ConfigError("REPORT_SIGNING_KEY is not set: name the public key as a file")
    return (await _signing_key(settings.report_signing_key, credential))[1]


async def _signing_key(identifier: str, credential: AsyncTokenCredential) -> tuple[str, PublicKey]:
    found = _KEY_ID.fullmatch(identifier)
    if found is None:
        raise ConfigError(
            "REPORT_SIGNING_KEY must be a key's identifier, such as https://VAULT.vault.azure.net/keys/report"
        )
    async with KeyClient(found[1], credential, api_version=VAULT_API, **PATIENCE) as client:
        return await vault_public_key(client, found[2], found[3])


async def _shelf(settings: Settings, credential: AsyncTokenCredential, stack: AsyncExitStack) -> Shelf:
    if settings.report_container_url is None:
        raise ConfigError("REPORT_CONTAINER_URL must be set (a blob container for reports), or --out name a folder")
    return await stack.enter_async_context(open_container(settings.report_container_url, credential))
