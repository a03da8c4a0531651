"""Sealing a manifest: a detached JWS whose key never leaves its vault, checked with the public half alone.

`manifest.jws` is `<header>..<signature>` in base64url (RFC 7515, appendix F). Signed are the header as it is in the
file, a dot, and the bytes of manifest.json as they are (`b64: false`, RFC 7797).
"""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import rfc8785
from azure.core.credentials_async import AsyncTokenCredential
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import SignatureAlgorithm, SignResult
from azure.keyvault.keys.crypto.aio import CryptographyClient
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from shared.azure_errors import SIGNING, answered
from shared.errors import ConfigError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
VERSION = 1
MANIFEST = "manifest.json"
SEAL = "manifest.jws"
VAULT_API = "7.4"
"""Named, because the SDK's newest is not yet known in every cloud; nothing newer is used."""
_RETRIES: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 60, "permit_redirects": False}
_KEY_ID = re.compile(r"(https://[^/]+)/keys/([0-9A-Za-z-]{1,127})(?:/([0-9a-f]{32}))?/?")
_DETACHED = re.compile(rb"([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)")
_ES256_BYTES = 64  # r and s, 32 bytes each: RFC 7518, 3.4


class NotSealed(Exception):
    """The seal does not prove that the key signed the manifest; the message is a sentence for the reader."""


class Crypto(Protocol):
    """What we need of azure-keyvault-keys' CryptographyClient."""

    def sign(self, algorithm: SignatureAlgorithm, digest: bytes) -> Awaitable[SignResult]: ...


class Signer(Protocol):
    """Seals bytes with one key."""

    @property
    def key(self) -> str:
        """The key's identifier, with its version."""
        ...

    async def seal(self, data: bytes) -> bytes:
        """The detached JWS of `data`. Raises ConfigError (right, key) or SinkBusy (try later)."""
        ...


@dataclass(frozen=True, slots=True)
class VaultSigner:
    """A `Signer` by Key Vault: only the digest travels."""

    key: str
    public: PublicKey
    crypto: Crypto

    async def seal(self, data: bytes) -> bytes:
        algorithm = algorithm_of(self.public)
        header = _encoded(rfc8785.dumps({"alg": algorithm, "b64": False, "crit": ["b64"], "kid": self.key}))
        digest = hashlib.sha256(header + b"." + data).digest()
        with answered(SIGNING):
            result = await self.crypto.sign(SignatureAlgorithm(algorithm), digest)
        jws = header + b".." + _encoded(result.signature)
        try:
            check_seal(jws, data, self.public)
        except NotSealed as wrong:
            raise ConfigError(
                "the vault's signature does not match its public key: check REPORT_SIGNING_KEY"
            ) from wrong
        return jws


@asynccontextmanager
async def open_signer(identifier: str, credential: AsyncTokenCredential) -> AsyncIterator[VaultSigner]:
    """The signer by one vault key. Raises ConfigError or SinkBusy."""
    key, public = await open_public_key(identifier, credential)
    async with CryptographyClient(key, credential, api_version=VAULT_API, **_RETRIES) as crypto:
        yield VaultSigner(key, public, crypto)


async def open_public_key(identifier: str, credential: AsyncTokenCredential) -> tuple[str, PublicKey]:
    """Identifier with version and public half of a vault's key. Raises ConfigError or SinkBusy."""
    found = _KEY_ID.fullmatch(identifier)
    if found is None:
        raise ConfigError(
            "REPORT_SIGNING_KEY must be a key's identifier, such as https://VAULT.vault.azure.net/keys/report"
        )
    async with KeyClient(found[1], credential, api_version=VAULT_API, **_RETRIES) as client:
        return await vault_public_key(client, found[2], found[3])


async def vault_public_key(client: KeyClient, name: str, version: str | None) -> tuple[str, PublicKey]:
    """The identifier (with version) and public half of a key. Raises ConfigError or SinkBusy."""
    with answered(SIGNING):
        found = await client.get_key(name, version)
    return str(found.id), _public(found.key)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def algorithm_of(public: PublicKey) -> str:
    """RS256 for RSA, ES256 for the curve P-256. Raises ConfigError for another curve."""
    if isinstance(public, rsa.RSAPublicKey):
        return "RS256"
    if isinstance(public.curve, ec.SECP256R1):
        return "ES256"
    raise ConfigError(f"the report can be signed with RSA or P-256 keys, not with {public.curve.name}")


def check_seal(jws: bytes, data: bytes, public: PublicKey) -> str | None:
    """The `kid` of a detached JWS, once it is this key's over `data`. Raises NotSealed.

    The header has to name the key's own algorithm and exactly what we understand as critical; else whoever can replace
    files could choose a weaker check (RFC 8725, 3.1).
    """
    found = _DETACHED.fullmatch(jws)
    if found is None:
        raise NotSealed(f"{SEAL} is not a detached JWS: it was changed or cut off.")
    try:
        header, signature = json.loads(_decoded(found[1])), _decoded(found[2])
    except (ValueError, RecursionError) as wrong:
        raise NotSealed(f"{SEAL} cannot be read: it was changed or cut off.") from wrong
    if not isinstance(header, dict) or header.get("b64") is not False or header.get("crit") != ["b64"]:
        raise NotSealed(f"{SEAL} must have b64 false and crit [b64] in its header, and has not.")
    if header.get("alg") != algorithm_of(public):
        raise NotSealed(f"{SEAL} names another algorithm than the key's {algorithm_of(public)}.")
    if not _signed(public, signature, found[1] + b"." + data):
        raise NotSealed("The signature does not match: the manifest or the seal was changed, or another key signed.")
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


def pem_of(public: PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def from_pem(data: bytes) -> PublicKey:
    """A public key file. Raises ConfigError when it is none of the two kinds."""
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError as wrong:
        raise ConfigError("the file of --key is not a public key in PEM form") from wrong
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ConfigError("the file of --key holds a key that is neither RSA nor P-256")
    algorithm_of(key)
    return key


def _signed(public: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        elif len(signature) == _ES256_BYTES:
            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(segment: bytes) -> bytes:
    """Raises ValueError unless `segment` is the one spelling of its bytes: spare bits at the end must be zero."""
    data = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    if _encoded(data) != segment:
        raise ValueError("not base64url")
    return data


def _public(jwk: Any) -> PublicKey:
    kind = str(getattr(jwk.kty, "value", jwk.kty))
    if kind.startswith("RSA"):
        return rsa.RSAPublicNumbers(int.from_bytes(jwk.e), int.from_bytes(jwk.n)).public_key()
    if kind.startswith("EC") and str(getattr(jwk.crv, "value", jwk.crv)) == "P-256":
        return ec.EllipticCurvePublicNumbers(int.from_bytes(jwk.x), int.from_bytes(jwk.y), ec.SECP256R1()).public_key()
    raise ConfigError("REPORT_SIGNING_KEY must be an RSA key, or an EC key on the curve P-256")
