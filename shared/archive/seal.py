"""Signing the manifest with a key that never leaves its vault, and checking a signature with the public half alone."""

import base64
import hashlib
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import SignatureAlgorithm, SignResult
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from shared.azure_errors import SIGNING, answered
from shared.errors import ConfigError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
VERSION = 1
MANIFEST = "manifest.json"
SIGNATURE = "signature.json"


@dataclass(frozen=True, slots=True)
class Signature:
    """`algorithm` is RS256 or ES256; `value` as the vault gives it (ES256: r and s, 32 bytes each)."""

    algorithm: str
    key: str
    value: bytes

    def encoded(self, public: PublicKey) -> bytes:
        """As stored. The public key in it is for convenience: trust only one that came another way."""
        told = {
            "algorithm": self.algorithm,
            "key": self.key,
            "signature": base64.b64encode(self.value).decode(),
            "publicKey": pem_of(public),
        }
        return (json.dumps(told, sort_keys=True, indent=2) + "\n").encode()


class Crypto(Protocol):
    """What we need of azure-keyvault-keys' CryptographyClient."""

    def sign(self, algorithm: SignatureAlgorithm, digest: bytes) -> Awaitable[SignResult]: ...


class Signer(Protocol):
    """Signs bytes with one key."""

    @property
    def key(self) -> str:
        """The key's identifier, with its version."""
        ...

    @property
    def public(self) -> PublicKey: ...

    async def sign(self, data: bytes) -> Signature:
        """Raises ConfigError (right, key) or SinkBusy (try later)."""
        ...


@dataclass(frozen=True, slots=True)
class VaultSigner:
    """A `Signer` by Key Vault: only the digest travels."""

    key: str
    public: PublicKey
    crypto: Crypto

    async def sign(self, data: bytes) -> Signature:
        algorithm = algorithm_of(self.public)
        with answered(SIGNING):
            result = await self.crypto.sign(SignatureAlgorithm(algorithm), hashlib.sha256(data).digest())
        signature = Signature(algorithm, self.key, result.signature)
        if not holds(self.public, signature, data):
            raise ConfigError("the vault's signature does not fit its public key: check REPORT_SIGNING_KEY")
        return signature


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


def holds(public: PublicKey, signature: Signature, data: bytes) -> bool:
    """Whether `signature` is this key's over `data`."""
    digest = hashlib.sha256(data).digest()
    prehashed = Prehashed(hashes.SHA256())
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature.value, digest, padding.PKCS1v15(), prehashed)
        else:
            half = len(signature.value) // 2
            r, s = (int.from_bytes(part) for part in (signature.value[:half], signature.value[half:]))
            public.verify(encode_dss_signature(r, s), digest, ec.ECDSA(prehashed))
    except InvalidSignature:
        return False
    return True


def decode(data: bytes) -> Signature:
    """A stored signature. Raises ValueError when it is none."""
    told = json.loads(data)
    if not isinstance(told, dict) or not all(isinstance(told.get(part), str) for part in ("algorithm", "key")):
        raise ValueError("no signature")
    return Signature(told["algorithm"], told["key"], base64.b64decode(str(told.get("signature", "")), validate=True))


def pem_of(public: PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def from_pem(data: bytes) -> PublicKey:
    """A public key file. Raises ConfigError when it is none of the two kinds."""
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError as wrong:
        raise ConfigError("the file of --key is no public key in PEM form") from wrong
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ConfigError("the file of --key holds a key that is neither RSA nor P-256")
    algorithm_of(key)
    return key


def _public(jwk: Any) -> PublicKey:
    kind = str(getattr(jwk.kty, "value", jwk.kty))
    if kind.startswith("RSA"):
        return rsa.RSAPublicNumbers(int.from_bytes(jwk.e), int.from_bytes(jwk.n)).public_key()
    if kind.startswith("EC") and str(getattr(jwk.crv, "value", jwk.crv)) == "P-256":
        return ec.EllipticCurvePublicNumbers(int.from_bytes(jwk.x), int.from_bytes(jwk.y), ec.SECP256R1()).public_key()
    raise ConfigError("REPORT_SIGNING_KEY must be an RSA key, or an EC key on the curve P-256")
