"""A folder and a Blob container keep reports by the same rules; what a vault shows of a key is enough to check with."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import KeyVaultKey
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.archive.seal import pem_of, vault_public_key
from shared.archive.store import AlreadyThere, ArchiveStore, BlobArchive, FolderArchive
from shared.errors import ConfigError, SinkBusy, StoreFailed
from tests.unit.report.fakes import KEY_ID

if TYPE_CHECKING:  # the fixtures come as a plugin
    from tests.azurite import Azurite


@asynccontextmanager
async def archive_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[ArchiveStore]:
    """A folder, or a container in the emulator."""
    if kind == "folder":
        yield FolderArchive(tmp_path / "reports")
        return
    emulator: Azurite = request.getfixturevalue("azurite")
    async with emulator.container() as container:
        yield BlobArchive(container)


@pytest.mark.parametrize("kind", ["folder", "blob"])
async def test_a_name_is_written_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The second writer is told so, and the first one's file is still there."""
    async with archive_of(kind, tmp_path, request) as archive:
        await archive.put("2026-10/changes.csv", b"first")
        with pytest.raises(AlreadyThere):
            await archive.put("2026-10/changes.csv", b"second")
        assert await archive.get("2026-10/changes.csv") == b"first"
        assert await archive.get("2026-10/absent.csv") is None and await archive.get("2026-10-r2/absent.csv") is None
        assert await archive.names("2026-10") == ["changes.csv"] and await archive.names("2026-1") == []


def test_a_file_is_its_owners_and_read_only(tmp_path: Path) -> None:
    """It names people's ids, and is not meant to be edited."""
    archive = FolderArchive(tmp_path)
    asyncio.run(archive.put("2026-10/report.html", b"x"))
    path = Path(archive.address("2026-10/report.html"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o400 and [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", "a/../b", "", "a b"])
async def test_no_name_leads_elsewhere(name: str, tmp_path: Path) -> None:
    """Names come from periods and questions; anything else is a defect."""
    with pytest.raises(ValueError, match="not a name"):
        await FolderArchive(tmp_path).put(name, b"x")


async def test_a_page_in_a_container_opens_in_a_browser(request: pytest.FixtureRequest) -> None:
    """Its type says what it is; of another type it would be downloaded."""
    emulator: Azurite = request.getfixturevalue("azurite")
    async with emulator.container() as container:
        await BlobArchive(container).put("2026-10/report.html", b"<p>")
        properties = await container.get_blob_client("2026-10/report.html").get_blob_properties()
        assert properties.content_settings.content_type == "text/html; charset=utf-8"


async def test_a_missing_container_has_its_remedy(request: pytest.FixtureRequest) -> None:
    """The sentence names the setting, and no address."""
    emulator: Azurite = request.getfixturevalue("azurite")
    async with emulator.container("gone-for-good") as container:
        await container.delete_container()
        with pytest.raises(StoreFailed, match="correct REPORT_CONTAINER_URL") as told:
            await BlobArchive(container).put("2026-10/report.html", b"x")
        assert "http" not in str(told.value)


class Keys:
    """A vault's key client, as far as it is asked."""

    def __init__(self, answer: KeyVaultKey | Exception) -> None:
        self.answer = answer

    async def get_key(self, name: str, version: str | None) -> KeyVaultKey:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def as_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def vault_key(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> KeyVaultKey:
    """The public half as the vault shows it."""
    numbers: Any = private.public_key().public_numbers()
    if isinstance(private, rsa.RSAPrivateKey):
        jwk = {"kty": "RSA-HSM", "n": as_bytes(numbers.n), "e": as_bytes(numbers.e)}
    else:
        jwk = {"kty": "EC", "crv": "P-256", "x": numbers.x.to_bytes(32), "y": numbers.y.to_bytes(32)}
    return KeyVaultKey(KEY_ID, jwk=jwk)


@pytest.mark.parametrize(
    "private", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())], ids=["RSA", "EC"]
)
async def test_the_vaults_public_key_is_the_keys(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    """Number for number, with the identifier that names its version."""
    key, public = await vault_public_key(Keys(vault_key(private)), "report", None)  # type: ignore[arg-type]
    assert key == KEY_ID and pem_of(public) == pem_of(private.public_key())


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(403, ConfigError, "Key Vault Crypto User"), (404, ConfigError, "no key of that name"), (503, SinkBusy, "later")],
)
async def test_a_vault_that_refuses_has_its_remedy(status: int, kind: type[Exception], words: str) -> None:
    """Right and name are the operator's; everything else passes."""
    error = HttpResponseError("no")
    error.status_code = status
    with pytest.raises(kind, match=words):
        await vault_public_key(Keys(error), "report", None)  # type: ignore[arg-type]


async def test_a_symmetric_key_cannot_sign() -> None:
    """Whoever checks such a signature could have made it."""
    with pytest.raises(ConfigError, match="RSA key"):
        await vault_public_key(Keys(KeyVaultKey(KEY_ID, jwk={"kty": "oct-HSM"})), "report", None)  # type: ignore[arg-type]
