"""A connection's key from Key Vault: the current version, and the one before it for the hour of a rotation."""

import asyncio
from collections.abc import Sequence
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.keyvault.secrets import SecretProperties
from azure.keyvault.secrets.aio import SecretClient
from pydantic import SecretStr

from shared.azure_errors import SECRETS, answered, translated
from shared.clock import Clock
from shared.errors import ConfigError, SourceBusy
from shared.settings import key_kind

API_VERSION = "7.4"
"""Named, because the SDK's newest is not yet known in every cloud; nothing newer is used."""
VERSIONS = 2
ANSWER_SECONDS = 45
"""For all requests of one key and the token for them; a run has its own time besides."""


def open_vault(url: str, credential: AsyncTokenCredential, **options: Any) -> SecretClient:
    """A client for the vault at `url` that gives up within seconds; `options` replace single ones of the SDK."""
    limits = {"retry_total": 2, "retry_backoff_factor": 0.5, "connection_timeout": 5, "read_timeout": 10}
    return SecretClient(url, credential, **{"api_version": API_VERSION, "permit_redirects": False, **limits, **options})


async def vault_keys(client: SecretClient, name: str, clock: Clock) -> Sequence[SecretStr]:
    """The key in secret `name`, then its newest previous version; only versions that are enabled and in date.

    Raises ConfigError when there is none or the vault refuses us, SourceBusy when it cannot be asked now.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            usable = await _usable_versions(client, name, clock)
            values = [await _value(client, version) for version in usable[:VERSIONS]]
    except TimeoutError as late:
        raise SourceBusy(
            f"the Key Vault, or the identity's token for it, did not answer within {ANSWER_SECONDS} seconds (secret "
            f"{name}): if it lasts, check KEY_VAULT_URL and the network"
        ) from late
    except AzureError as refused:
        raise translated(refused, SECRETS, name) from refused
    except ValueError as wrong:  # the SDK's word for a vault that sends our token to another address
        raise ConfigError(
            f"KEY_VAULT_URL does not lead to a Key Vault of this cloud: correct it (secret {name})"
        ) from wrong
    if not values:
        raise ConfigError(
            f"waiting for key: put a Compliance Access Key or an Admin API key into secret {name} of the Key Vault "
            "(there is no version that is enabled and in date)"
        )
    return _keys(values, name)


async def _usable_versions(client: SecretClient, name: str, clock: Clock) -> list[SecretProperties]:
    """Newest first. A vault answers for a missing secret with 404 or with an empty list."""
    now = clock.now()
    try:
        versions = [version async for version in client.list_properties_of_secret_versions(name)]
    except ResourceNotFoundError:
        return []
    usable = [
        (version.created_on, version)
        for version in versions
        if version.enabled
        and version.created_on is not None
        and (version.expires_on is None or version.expires_on > now)
        and (version.not_before is None or version.not_before <= now)
    ]
    return [version for _, version in sorted(usable, key=lambda dated: dated[0], reverse=True)]


async def _value(client: SecretClient, version: SecretProperties) -> str:
    secret = await client.get_secret(str(version.name), version.version)
    return (secret.value or "").strip()


def _keys(values: Sequence[str], name: str) -> Sequence[SecretStr]:
    """The current value must be a key; what stood there before it (a placeholder of the deployment) need not be."""
    try:
        key_kind(values[0])
    except ConfigError as wrong:
        raise ConfigError(f"secret {name} of the Key Vault: {wrong}") from None
    return [SecretStr(values[0]), *(SecretStr(value) for value in values[1:] if _is_key(value))]


def _is_key(value: str) -> bool:
    try:
        key_kind(value)
    except ConfigError:
        return False
    return True


async def vault_secret(client: SecretClient, name: str) -> bytes:
    """The current value of any other secret; ConfigError or SourceBusy as for keys."""
    with answered(SECRETS, name):
        secret = await client.get_secret(name)
    return (secret.value or "").encode()
