"""A workspace that answers from a dict, an archive in memory, and a vault that holds a real key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from azure.keyvault.keys.crypto import SignatureAlgorithm, SignResult
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from shared.archive.seal import Signer, VaultSigner
from shared.archive.store import AlreadyThere, ArchiveStore
from shared.clock import SimulatedClock
from shared.errors import SinkRefused
from shared.models import Window
from shared.report.questions import questions
from shared.report.writing import Reporter
from shared.workspace.query import Answer, QueryClient

DAY = Window(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))
NOW = datetime(2026, 11, 1, 5, 15, tzinfo=UTC)
HOUR_COLUMNS = ("Connection", "Hour", "Verdict", "Feed", "Delivered", "DeadLetters", "Counted", "Rows", "ProvedAt")
KEY_ID = "https://vault.example.com/keys/report/0123456789abcdef0123456789abcdef"


def hours(period: Window = DAY, *, connection: str = "default", verdict: str = "proved") -> Answer:
    """Every hour of the period with one verdict, ten rows each."""
    count = int(period.span / timedelta(hours=1))
    rows = [
        (connection, period.gte + number * timedelta(hours=1), verdict, None, 10, 0, 0, 10, NOW)
        for number in range(count)
    ]
    return Answer(HOUR_COLUMNS, rows)


def quiet() -> dict[str, Answer]:
    """Nothing happened, and every hour of the day is proved."""
    answers = {question.name: Answer(("EventTime", "ActivityId"), []) for question in questions()}
    scope = Answer(("Connection", "Organization", "Activities"), [("default", "org_01", 240)])
    return {**answers, "hours": hours(), "scope": scope}


@dataclass
class FakeQueries:
    """Answers each question by its text; without an answer the workspace refuses it."""

    answers: dict[str, Answer] = field(default_factory=quiet)
    asked: list[str] = field(default_factory=list)

    async def ask(self, kql: str) -> Answer:
        self.asked.append(kql)
        name = next(question.name for question in questions() if kql.endswith(question.kql))
        if name not in self.answers:
            raise SinkRefused("the workspace refuses the question (400): deploy the parsers of this release again")
        return self.answers[name]


@dataclass
class MemoryArchive:
    """An archive that can lose its storage before the nth file."""

    files: dict[str, bytes] = field(default_factory=dict)
    before_put: Callable[[str], None] = lambda name: None

    async def put(self, name: str, data: bytes) -> None:
        self.before_put(name)
        if name in self.files:
            raise AlreadyThere(name)
        self.files[name] = data

    async def get(self, name: str) -> bytes | None:
        return self.files.get(name)

    async def names(self, folder: str) -> list[str]:
        return sorted(name.removeprefix(f"{folder}/") for name in self.files if name.startswith(f"{folder}/"))

    def address(self, name: str) -> str:
        return f"memory:{name}"


class FakeCrypto:
    """Signs digests as Key Vault does: RS256 is PKCS#1 v1.5, ES256 is r and s side by side (RFC 7518, 3.3 and 3.4)."""

    def __init__(self, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self.private = private

    async def sign(self, algorithm: SignatureAlgorithm, digest: bytes) -> SignResult:
        assert len(digest) == hashlib.sha256().digest_size
        prehashed = Prehashed(hashes.SHA256())
        if isinstance(self.private, rsa.RSAPrivateKey):
            assert algorithm is SignatureAlgorithm.rs256
            value = self.private.sign(digest, padding.PKCS1v15(), prehashed)
        else:
            assert algorithm is SignatureAlgorithm.es256
            r, s = decode_dss_signature(self.private.sign(digest, ec.ECDSA(prehashed)))
            value = r.to_bytes(32) + s.to_bytes(32)
        return SignResult(KEY_ID, algorithm, value)


def signer(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> VaultSigner:
    return VaultSigner(KEY_ID, private.public_key(), FakeCrypto(private))


def reporter(
    archive: ArchiveStore | None = None,
    client: QueryClient | None = None,
    *,
    signed: Signer | None = None,
    connections: tuple[str, ...] = ("default",),
) -> Reporter:
    """Everything a report needs, on a quiet day."""
    return Reporter(
        client or FakeQueries(), archive or MemoryArchive(), SimulatedClock(NOW), signer=signed, connections=connections
    )
