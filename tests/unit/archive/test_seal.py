"""The seal is a detached JWS like any other: PyJWT and openssl read ours, we read PyJWT's, and nothing else passes."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
import rfc8785
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.archive.seal import MANIFEST, SEAL, NotSealed, VaultSigner, check_seal, pem_of
from shared.archive.store import FolderArchive
from shared.errors import ConfigError
from shared.report.writing import write_report
from tests.unit.report.fakes import DAY, KEY_ID, reporter, signer
from tools import optional

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
BOTH = pytest.mark.parametrize(("private", "algorithm"), [(RSA, "RS256"), (CURVE, "ES256")], ids=["RS256", "ES256"])
DATA = '{"completeness":{"complete":true},"files":{},"report":"Ünicode"}'.encode()
GUIDE = Path(__file__).parents[3] / "docs" / "report.md"


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


async def forged(private: PrivateKey, header: Any, data: bytes = DATA) -> bytes:
    """A JWS whose signature is the key's over whatever header is given."""
    segment = header if isinstance(header, bytes) else encoded(json.dumps(header).encode())
    vault = signer(private)
    sealed = await vault.seal(data)
    algorithm = json.loads(base64.urlsafe_b64decode(sealed.partition(b".")[0] + b"=="))["alg"]

    result = await vault.crypto.sign(SignatureAlgorithm(algorithm), hashlib.sha256(segment + b"." + data).digest())
    return segment + b".." + encoded(result.signature)


def refusal(jws: bytes, data: bytes, private: PrivateKey) -> str:
    with pytest.raises(NotSealed) as refused:
        check_seal(jws, data, private.public_key())
    return str(refused.value)


@BOTH
async def test_a_public_library_verifies_our_seal(private: PrivateKey, algorithm: str) -> None:
    """PyJWT, with the public half, the manifest's bytes and nothing of ours; a byte more and it refuses."""
    jws = (await signer(private).seal(DATA)).decode()
    options: dict[str, Any] = {"key": pem_of(private.public_key()), "algorithms": [algorithm]}
    complete = jwt.PyJWS().decode_complete(jws, detached_payload=DATA, **options)
    assert complete["header"] == {"alg": algorithm, "b64": False, "crit": ["b64"], "kid": KEY_ID}
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode_complete(jws, detached_payload=DATA + b" ", **options)


@BOTH
def test_we_verify_a_public_librarys_seal(private: PrivateKey, algorithm: str) -> None:
    """A detached JWS that PyJWT made, of unencoded payload; its `typ` does not matter."""
    jws = jwt.PyJWS().encode(
        DATA, private, algorithm=algorithm, headers={"kid": "theirs", "b64": False}, is_payload_detached=True
    )
    assert check_seal(jws.encode(), DATA, private.public_key()) == "theirs"


async def sealed_report(private: PrivateKey, folder: Path) -> Path:
    """The folder of a report, with the public key beside it."""
    written = await write_report(reporter(FolderArchive(folder), signed=signer(private)), DAY)
    (folder / written.name / "public.pem").write_text(pem_of(private.public_key()))
    return folder / written.name


def run_as_in_the_guide(part: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The block of commands in docs/report.md that has `part`, run in a report's folder by this Python."""
    section = GUIDE.read_text(encoding="utf-8").partition("## Checking a report")[2]
    (commands,) = [block for block in re.findall(r"```\n(.*?)```", section, re.DOTALL) if part in block]
    commands = commands.replace("python -", f"{sys.executable} -")
    return subprocess.run(["sh", "-ec", commands], cwd=folder, capture_output=True, text=True, check=False)


def one_hour_less(folder: Path) -> None:
    """Change one figure of the manifest."""
    manifest = folder / MANIFEST
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes().replace(b'"hoursProved":24', b'"hoursProved":23'))


@BOTH
async def test_the_guides_python_command_verifies_a_report(private: PrivateKey, algorithm: str, tmp_path: Path) -> None:
    """As docs/report.md shows it to an auditor: it prints the header, and fails once a figure was changed."""
    folder = await sealed_report(private, tmp_path)
    done = run_as_in_the_guide("detached_payload", folder)
    assert done.returncode == 0 and KEY_ID in done.stdout and algorithm in done.stdout, done.stderr
    one_hour_less(folder)
    assert run_as_in_the_guide("detached_payload", folder).returncode != 0


async def test_the_guides_openssl_commands_verify_a_report(tmp_path: Path) -> None:
    """For an RSA key, without any JOSE library."""
    if missing := optional.missing("openssl"):
        pytest.skip(f"THE SEAL IS NOT CHECKED BY OPENSSL: {missing}")
    folder = await sealed_report(RSA, tmp_path)
    done = run_as_in_the_guide("openssl dgst", folder)
    assert done.returncode == 0 and "Verified OK" in done.stdout, done.stderr
    one_hour_less(folder)
    assert run_as_in_the_guide("openssl dgst", folder).returncode != 0


async def test_the_manifest_is_canonical_json(tmp_path: Path) -> None:
    """RFC 8785: whoever writes its content again gets the same bytes."""
    written = await write_report(reporter(FolderArchive(tmp_path)), DAY)
    stored = (tmp_path / written.name / MANIFEST).read_bytes()
    assert rfc8785.dumps(json.loads(stored)) == stored and not (tmp_path / written.name / SEAL).exists()


@BOTH
async def test_no_byte_can_be_changed(private: PrivateKey, algorithm: str) -> None:
    """Of manifest, header or signature: neither the highest bit, nor the lowest, nor to another letter of base64url."""
    jws = await signer(private).seal(DATA)
    assert check_seal(jws, DATA, private.public_key()) == KEY_ID
    for at in range(len(DATA)):
        for flip in (0x01, 0x80):
            refusal(jws, DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :], private)
    for at in range(len(jws)):
        for other in {jws[at] ^ 0x01, jws[at] ^ 0x80, ord("A"), ord("B"), ord(".")} - {jws[at]}:
            refusal(jws[:at] + bytes([other]) + jws[at + 1 :], DATA, private)


@BOTH
async def test_nothing_can_be_added_or_left_out(private: PrivateKey, algorithm: str) -> None:
    """A newline, padding, an attached payload, an empty part, half a signature: none is the seal that was written."""
    jws = await signer(private).seal(DATA)
    header, _, signature = jws.split(b".")
    half = encoded(base64.urlsafe_b64decode(signature + b"==")[:32])
    for other in (
        b"",
        b"..",
        jws + b"\n",
        jws + b"=",
        header + b"." + encoded(DATA) + b"." + signature,
        header + b"..",
        b".." + signature,
        header + b".." + half,
        jws + b".." + signature,
    ):
        refusal(other, DATA, private)
    refusal(jws, DATA + b"\n", private)
    for empty in (bytes(64), bytes(256), b"\xff" * 64):
        refusal(header + b".." + encoded(empty), DATA, private)


@BOTH
async def test_the_header_must_be_as_we_write_it(private: PrivateKey, algorithm: str) -> None:
    """Signed by the right key, and refused all the same: what is critical to us must be there, and nothing unknown."""
    right = {"alg": algorithm, "b64": False, "crit": ["b64"], "kid": KEY_ID}
    assert check_seal(await forged(private, right), DATA, private.public_key()) == KEY_ID
    other = "ES256" if algorithm == "RS256" else "RS256"
    changes: tuple[dict[str, Any], ...] = (
        {"b64": True},
        {"b64": 0},
        {"b64": "false"},
        {"crit": []},
        {"crit": ["b64", "exp"]},
        {"crit": "b64"},
        {"crit": None},
    )
    for change in changes:
        assert "b64 false and crit" in refusal(await forged(private, right | change), DATA, private)
    for name in ("b64", "crit"):
        lacking = {key: value for key, value in right.items() if key != name}
        assert "b64 false and crit" in refusal(await forged(private, lacking), DATA, private)
    for alg in ("none", "HS256", other, None, "PS256", algorithm.lower()):
        assert "another algorithm" in refusal(await forged(private, right | {"alg": alg}), DATA, private)
    for header in (encoded(b"[]"), encoded(b"\xff"), encoded(b"[" * 100_000)):
        refusal(await forged(private, header), DATA, private)


async def test_the_public_key_is_no_secret_to_sign_with() -> None:
    """The old trick: HS256 with the public key's text as the secret, and `none` with no signature at all."""
    pem = pem_of(RSA.public_key())
    header = {"alg": "HS256", "b64": False, "crit": ["b64"]}

    segment = encoded(json.dumps(header).encode())
    forgery = segment + b".." + encoded(hmac.digest(pem.encode(), segment + b"." + DATA, hashlib.sha256))
    assert "another algorithm" in refusal(forgery, DATA, RSA)
    unsigned = encoded(json.dumps(header | {"alg": "none"}).encode()) + b".."
    assert "not a detached JWS" in refusal(unsigned, DATA, RSA)


@BOTH
async def test_another_key_did_not_sign(private: PrivateKey, algorithm: str) -> None:
    """Neither one of the same kind nor one of the other kind."""
    jws = await signer(private).seal(DATA)
    again = rsa.generate_private_key(65537, 2048) if private is RSA else ec.generate_private_key(ec.SECP256R1())
    assert "does not match" in refusal(jws, DATA, again)
    assert "another algorithm" in refusal(jws, DATA, CURVE if private is RSA else RSA)


async def test_a_vault_that_signs_with_another_key_is_found_out() -> None:
    """Before anything is written: the seal is checked with the public half it will be checked with later."""

    mixed = VaultSigner(KEY_ID, rsa.generate_private_key(65537, 2048).public_key(), signer(RSA).crypto)
    with pytest.raises(ConfigError, match="does not match its public key"):
        await mixed.seal(DATA)
