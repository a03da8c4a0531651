"""Keys from Key Vault: which versions are taken, what every refusal means; Microsoft's client against a small vault."""

import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.secrets.aio import SecretClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.compliance.server import Served
from shared.clock import SimulatedClock
from shared.errors import BridgeError, ConfigError, SourceBusy
from shared.source.client import Keys
from shared.source.key_vault import open_vault, vault_keys

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
VAULT = "https://bridge-test.vault.azure.net"
SECRET = "claude-key"
KEY, OLDER, OLDEST = (f"sk-ant-api01-{word}-0123456789" for word in ("newest", "older", "oldest"))


@dataclass
class Vault:
    """One vault's secrets, by the documented REST shapes; pages of two versions, in no order that means anything."""

    versions: list[dict[str, Any]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    asked: list[str] = field(default_factory=list)

    def put(self, value: str, created: timedelta, **attributes: Any) -> None:
        """A version created `created` before NOW; `exp` and `nbf` are given as datetimes."""
        times = {key: int(at.timestamp()) for key, at in attributes.items() if isinstance(at, datetime)}
        about = {"enabled": True, "created": int((NOW - created).timestamp()), **attributes, **times}
        self.versions.append({"version": f"{len(self.versions):032x}", "value": value, "attributes": about})

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/secrets/{name}/versions", self._list),
                Route("/secrets/{name}/{version}", self._get),
            ]
        )

    async def _list(self, request: Request) -> JSONResponse:
        if (refused := self._refused(request)) is not None:
            return refused
        at = int(request.query_params.get("$skiptoken", 0))
        mine = self.versions if request.path_params["name"] == SECRET else []
        items = [{"id": self._id(each), "attributes": each["attributes"]} for each in mine[at : at + 2]]
        more = f"{VAULT}/secrets/{SECRET}/versions?api-version=7.4&$skiptoken={at + 2}" if at + 2 < len(mine) else None
        return JSONResponse({"value": items, "nextLink": more})

    async def _get(self, request: Request) -> JSONResponse:
        if (refused := self._refused(request)) is not None:
            return refused
        each = next(each for each in self.versions if each["version"] == request.path_params["version"])
        if not each["attributes"]["enabled"]:
            return _error(403, "Forbidden", "SecretDisabled")
        return JSONResponse({"id": self._id(each), "value": each["value"], "attributes": each["attributes"]})

    def _id(self, each: dict[str, Any]) -> str:
        return f"{VAULT}/secrets/{SECRET}/{each['version']}"

    def _refused(self, request: Request) -> JSONResponse | None:
        """The first call of a client carries no token: the vault says where to get one."""
        self.asked.append(request.url.path)
        if self.refusal is not None:
            return _error(self.refusal[0], "Forbidden", self.refusal[1])
        if request.headers.get("authorization") != "Bearer vault-token":
            challenge = 'Bearer authorization="https://login.example.com/tenant", resource="https://vault.azure.net"'
            return JSONResponse({"error": {"code": "Unauthorized"}}, 401, {"www-authenticate": challenge})
        return None


def _error(status: int, code: str, inner: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": "Refused.", "innererror": {"code": inner}}}, status)


class ToVault(AioHttpTransport):  # type: ignore[misc]  # the SDK gives it away lazily, untyped
    """Carries what is meant for `address` to the test's own server: the client insists on https."""

    def __init__(self, server: str, address: str = VAULT) -> None:
        super().__init__()
        self._server = server
        self._address = address

    async def send(self, request: Any, **options: Any) -> Any:
        asked, request.url = request.url, request.url.replace(self._address, self._server)
        try:
            return await super().send(request, **options)
        finally:
            request.url = asked


@dataclass(frozen=True)
class Identity:
    """The app's identity; `refusal` is what it raises instead of giving a token."""

    refusal: Exception | None = None

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        if self.refusal is not None:
            raise self.refusal
        return AccessToken("vault-token", 2**33)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def served(vault: Vault) -> Iterator[str]:
    with Served(vault.app) as server:
        yield server.url


@pytest.fixture
async def client(served: str) -> AsyncIterator[SecretClient]:
    options = {"transport": ToVault(served), "retry_backoff_factor": 0}
    async with open_vault(VAULT, Identity(), **options) as opened:
        yield opened


async def keys(client: SecretClient, name: str = SECRET) -> list[str]:
    return [key.get_secret_value() for key in await vault_keys(client, name, SimulatedClock(NOW))]


async def test_the_newest_two_versions_are_taken(client: SecretClient, vault: Vault) -> None:
    """By time of creation, over all pages; older ones are not even fetched."""
    vault.put(OLDEST, timedelta(days=90))
    vault.put(KEY, timedelta(days=1))
    vault.put(OLDER, timedelta(days=30))
    assert await keys(client) == [KEY, OLDER]
    assert [path for path in vault.asked if path.endswith("0" * 32)] == []


async def test_a_new_secret_has_one_key(client: SecretClient, vault: Vault) -> None:
    """Without a previous version there is nothing to fall back to; spaces and line ends of a paste do not matter."""
    vault.put(f" {KEY}\n", timedelta(days=1))
    assert await keys(client) == [KEY]


@pytest.mark.parametrize(
    "attributes",
    [{"enabled": False}, {"exp": NOW}, {"nbf": NOW + timedelta(seconds=1)}],
    ids=["disabled", "expired", "not yet"],
)
async def test_versions_out_of_use_are_passed_over(
    client: SecretClient, vault: Vault, attributes: dict[str, Any]
) -> None:
    """A version that is disabled, expired or not yet valid is neither the current nor the previous key."""
    vault.put(KEY, timedelta(days=1), **attributes)
    vault.put(OLDER, timedelta(days=2), exp=NOW + timedelta(days=1), nbf=NOW)
    vault.put("x", timedelta(days=3), **attributes)
    vault.put(OLDEST, timedelta(days=4))
    assert await keys(client) == [OLDER, OLDEST]


async def test_without_a_usable_version_the_bridge_waits(client: SecretClient, vault: Vault) -> None:
    """No secret, or only versions out of use: the sentence says what to store where."""
    for name in (SECRET, "another"):
        with pytest.raises(ConfigError, match=f"waiting for key: .* into secret {name} of the Key Vault"):
            await keys(client, name)
    vault.put(KEY, timedelta(days=1), enabled=False)
    with pytest.raises(ConfigError, match="waiting for key"):
        await keys(client)


@pytest.mark.parametrize(
    ("status", "reason", "error", "remedy"),
    [
        (403, "ForbiddenByRbac", ConfigError, "Key Vault Secrets User"),
        (403, "ForbiddenByPolicy", ConfigError, "Key Vault Secrets User"),
        (403, "ForbiddenByFirewall", ConfigError, "firewall refuses this network"),
        (403, "SecretDisabled", ConfigError, "waiting for key"),
        (404, "SecretNotFound", ConfigError, "waiting for key"),
        (400, "BadParameter", ConfigError, "check KEY_VAULT_URL and the secret's name"),
        (401, "Unauthorized", ConfigError, "cannot sign in"),
        (429, "Throttled", SourceBusy, "is busy \\(429 Throttled\\)"),
        (503, "Down", SourceBusy, "is busy \\(503 Down\\)"),
    ],
)
async def test_every_refusal_says_who_acts(
    client: SecretClient, vault: Vault, status: int, reason: str, error: type[BridgeError], remedy: str
) -> None:
    """What the operator must change is ConfigError with the remedy; what passes by itself is SourceBusy."""
    vault.refusal = (status, reason)
    with pytest.raises(error, match=remedy):
        await keys(client)


async def test_a_vault_out_of_reach_is_busy(served: str) -> None:
    """No connection is worth another try by the next run."""
    options = {"transport": ToVault("http://127.0.0.1:1"), "retry_backoff_factor": 0}
    async with open_vault(VAULT, Identity(), **options) as client:
        with pytest.raises(SourceBusy, match="check KEY_VAULT_URL and the network"):
            await keys(client)


async def test_an_identity_that_cannot_sign_in_says_so(served: str) -> None:
    """A missing managed identity is the operator's to repair."""

    nobody = Identity(ClientAuthenticationError("no managed identity endpoint found"))
    async with open_vault(VAULT, nobody, transport=ToVault(served)) as client:
        with pytest.raises(ConfigError, match="cannot sign in to the Key Vault"):
            await keys(client)


async def test_a_vault_of_another_domain_gets_no_token(served: str, vault: Vault) -> None:
    """An address that is no Key Vault cannot lure the identity's token out."""
    elsewhere = "https://vault.example.com"
    async with open_vault(elsewhere, Identity(), transport=ToVault(served, elsewhere)) as client:
        with pytest.raises(ConfigError, match="KEY_VAULT_URL does not lead to a Key Vault"):
            await keys(client)
    assert len(vault.asked) == 1


async def test_what_is_no_key_is_refused_by_name(client: SecretClient, vault: Vault) -> None:
    """A Claude API key, or anything else, in the current version: the sentence names the secret and not its value."""
    vault.put(OLDER, timedelta(days=2))
    vault.put("sk-ant-api03-wrong-kind", timedelta(days=1))
    with pytest.raises(ConfigError, match=r"secret claude-key .*this is a Claude API key") as refused:
        await keys(client)
    assert "wrong-kind" not in "".join(traceback.format_exception(refused.value))


async def test_a_placeholder_before_the_key_is_no_fallback(client: SecretClient, vault: Vault) -> None:
    """The deployment's placeholder, now the previous version, is never sent as a key."""
    vault.put("to be set", timedelta(days=2))
    vault.put(KEY, timedelta(days=1))
    assert await keys(client) == [KEY]


async def test_a_rotation_is_seen_by_the_next_run(client: SecretClient, vault: Vault) -> None:
    """Every run reads anew: the new key first, the one before it when the new one is refused."""
    vault.put(OLDER, timedelta(days=2))
    held = Keys(lambda: vault_keys(client, SECRET, SimulatedClock(NOW)))
    assert await held.current() == OLDER
    vault.put(KEY, timedelta(days=1))
    await held.refresh()
    assert await held.current() == KEY
    assert held.next() and await held.current() == OLDER
    assert not held.next()


async def test_no_key_is_ever_shown(client: SecretClient, vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a repr, nor a log line at any level, nor a traceback holds a key."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="azure")  # another test may have quietened it
    vault.put(OLDER, timedelta(days=2))
    vault.put(KEY, timedelta(days=1))
    shown = [repr(await vault_keys(client, SECRET, SimulatedClock(NOW)))]
    vault.put("sk-ant-api01", timedelta(0))
    with pytest.raises(ConfigError) as refused:
        await keys(client)
    shown.append("".join(traceback.format_exception(refused.value)))
    text = "".join([*shown, caplog.text])
    assert "azure" in caplog.text
    assert "sk-ant-api01-newest" not in text and "sk-ant-api01-older" not in text
