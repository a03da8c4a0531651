"""A report is written once, sealed, and found out when anything of it was changed."""

import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.archive.seal import algorithm_of, from_pem, pem_of, sha256
from shared.archive.verify import verify
from shared.errors import ConfigError, SinkBusy, StoreFailed
from shared.models import Window
from shared.report.coverage import coverage
from shared.report.questions import Answer, Table, questions
from shared.report.writing import write_report
from tests.unit.report.fakes import DAY, NOW, FakeQueries, MemoryArchive, hours, quiet, reporter, signer

NAME = "20261005T000000Z-20261006T000000Z"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
RSA_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE_OTHER = ec.generate_private_key(ec.SECP256R1())


async def sentences(archive: MemoryArchive, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None = None) -> str:
    """What does not hold, in one line."""
    return " ".join(each.sentence for each in await verify(archive, NAME, public) if not each.good)


async def test_a_report_holds_page_rows_and_manifest() -> None:
    """Every file is in the manifest with its digest; the proof, the queries and the period stand there, too."""
    archive = MemoryArchive()
    written = await write_report(reporter(archive), DAY)
    manifest = json.loads(archive.files[f"{NAME}/manifest.json"])
    stored = {name.removeprefix(f"{NAME}/"): sha256(data) for name, data in archive.files.items()}
    assert {name: about["sha256"] for name, about in manifest["files"].items()} | {
        "manifest.json": stored["manifest.json"]
    } == stored
    assert {"report.html", "changes.csv", "changes.json", "hours.csv"} < stored.keys()
    assert manifest["completeness"] == {
        "hoursAsked": 24,
        "hoursProved": 24,
        "complete": True,
        "failure": None,
        "gaps": [],
    }
    assert manifest["organizations"] == ["org_01"] and manifest["created"] == "2026-11-01T05:15:00Z"
    assert all("let PeriodStart" in table["query"] for table in manifest["tables"])
    assert written.new and written.proof is not None and written.proof.complete and written.failed == ()


async def test_the_same_period_is_not_written_twice() -> None:
    """A finished report stays as it is, to the byte; a revision stands beside it and is asked for by name."""
    archive = MemoryArchive()
    await write_report(reporter(archive), DAY)
    before = dict(archive.files)
    second = await write_report(reporter(archive), DAY)
    assert not second.new and second.name == NAME and archive.files == before
    third = await write_report(reporter(archive), DAY, again=True)
    assert third.new and third.name == f"{NAME}-r2" and before.items() <= archive.files.items()
    assert not (await write_report(reporter(archive), DAY)).new


@pytest.mark.parametrize("lost", ["drills.csv", "report.html", "manifest.json"])
async def test_an_interrupted_report_is_begun_anew_beside_the_remains(lost: str) -> None:
    """What was written cannot be removed under an immutability policy; without a manifest it is no report."""

    def fail(name: str) -> None:
        if name == f"{NAME}/{lost}":
            raise StoreFailed("the report's storage refuses (503)")

    archive = MemoryArchive(before_put=fail)
    with pytest.raises(StoreFailed):
        await write_report(reporter(archive), DAY)
    archive.before_put = lambda name: None
    with pytest.raises(ConfigError, match="never finished"):
        await verify(archive, NAME, None)
    written = await write_report(reporter(archive), DAY)
    assert written.new and written.name == f"{NAME}-r2"


async def test_two_runs_at_once_replace_nothing() -> None:
    """Who comes second to a name gives up."""
    archive = MemoryArchive()
    raced = MemoryArchive(
        archive.files, before_put=lambda name: archive.files.setdefault(f"{NAME}/changes.csv", b"theirs")
    )  # type: ignore[arg-type]
    with pytest.raises(SinkBusy, match="another run"):
        await write_report(reporter(raced), DAY)
    assert archive.files[f"{NAME}/changes.csv"] == b"theirs" and f"{NAME}/manifest.json" not in archive.files


async def test_a_failed_question_is_marked_everywhere() -> None:
    """In page, manifest and result; there is no CSV that could pass for an empty table."""
    answers = quiet()
    del answers["exports"]
    archive = MemoryArchive()
    written = await write_report(reporter(archive, FakeQueries(answers)), DAY)
    manifest = json.loads(archive.files[f"{NAME}/manifest.json"])
    about = next(table for table in manifest["tables"] if table["name"] == "exports")
    assert written.failed == ("exports",) and about["rows"] is None and "deploy the parsers" in about["failure"]
    page = archive.files[f"{NAME}/report.html"].decode()
    assert "1 of 10 questions could not be answered" in page and "Nothing was exported" not in page
    assert f"{NAME}/exports.csv" not in archive.files and f"{NAME}/exports.json" in archive.files


async def test_without_any_answer_there_is_no_report() -> None:
    """A missing right would otherwise be filed as a quiet month."""
    archive = MemoryArchive()
    with pytest.raises(SinkBusy, match="no question was answered"):
        await write_report(reporter(archive, FakeQueries({})), DAY)
    assert archive.files == {}


async def test_the_future_has_no_report() -> None:
    """Nor has a period that ends before it begins."""
    for period in (Window(NOW, NOW.replace(day=2)), Window(DAY.lt, DAY.gte)):
        with pytest.raises(ConfigError, match="past period"):
            await write_report(reporter(), period)


@pytest.mark.parametrize("private", [RSA, CURVE], ids=["RS256", "ES256"])
async def test_a_signed_report_verifies_with_its_key_alone(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    """Another key, no key, or a manifest changed by one byte does not do."""
    archive, public = MemoryArchive(), from_pem(pem_of(private.public_key()).encode())
    await write_report(reporter(archive, signed=signer(private)), DAY)
    assert await sentences(archive, public) == ""
    other = RSA_OTHER if private is RSA else CURVE_OTHER
    assert "does not match" in await sentences(archive, other.public_key())
    assert "not checked" in await sentences(archive)
    manifest = archive.files[f"{NAME}/manifest.json"]
    archive.files[f"{NAME}/manifest.json"] = manifest.replace(b'"hoursProved":24', b'"hoursProved":23')
    assert archive.files[f"{NAME}/manifest.json"] != manifest
    assert "does not match" in await sentences(archive, public)


async def test_a_report_of_another_period_does_not_pass_for_this_one() -> None:
    """Files, digests and seal of an older report, copied under this one's name, are an older report."""
    archive = MemoryArchive()
    await write_report(reporter(archive, signed=signer(RSA)), DAY)
    copied = MemoryArchive({name.replace(NAME, "2026-10"): data for name, data in archive.files.items()})
    wrong = [each.sentence for each in await verify(copied, "2026-10", RSA.public_key()) if not each.good]
    assert wrong == [f"The manifest is of the report {NAME}, not of 2026-10."]


async def test_who_leaves_the_signature_out_is_found_out() -> None:
    """By the manifest that names a key; and, where it was written anew, by the key that a reader brings."""
    archive = MemoryArchive()
    await write_report(reporter(archive, signed=signer(RSA)), DAY)
    del archive.files[f"{NAME}/manifest.jws"]
    assert "is missing" in await sentences(archive, RSA.public_key())
    manifest = json.loads(archive.files[f"{NAME}/manifest.json"]) | {"signedWith": None}
    archive.files[f"{NAME}/manifest.json"] = json.dumps(manifest).encode()
    assert "not signed" in await sentences(archive, RSA.public_key())


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("changes.csv", b"EventTime\r\n", "changes.csv was changed"),
        ("report.html", None, "report.html is missing"),
        ("extra.csv", b"x", "does not name extra.csv"),
        ("manifest.json", b"{", "cannot be read"),
        ("manifest.jws", b"{}", "manifest.jws is not a detached JWS"),
    ],
)
async def test_what_was_changed_is_named(name: str, data: bytes | None, words: str) -> None:
    """One sentence for each file that is not the one that was sealed."""
    archive = MemoryArchive()
    await write_report(reporter(archive, signed=signer(RSA)), DAY)
    if data is None:
        del archive.files[f"{NAME}/{name}"]
    else:
        archive.files[f"{NAME}/{name}"] = data
    assert words in await sentences(archive, RSA.public_key())


def test_a_curve_the_vault_signs_otherwise_is_refused() -> None:
    """ES256 is P-256; a key on another curve would give a signature nobody here can check."""
    with pytest.raises(ConfigError, match="secp384r1"):
        algorithm_of(ec.generate_private_key(ec.SECP384R1()).public_key())
    with pytest.raises(ConfigError, match="not a public key"):
        from_pem(b"-----BEGIN NOTHING-----")


async def test_gaps_are_listed_by_their_bounds() -> None:
    """Hours in a row are one gap; a connection nobody heard of is one gap of the whole period."""
    answers = quiet()
    rows = list(hours().rows)
    missing = [(*row[:2], "missing", *row[3:]) for row in rows[4:6]]
    answers["hours"] = Answer(hours().columns, [*rows[:4], *missing, *rows[7:]])
    archive = MemoryArchive()
    written = await write_report(reporter(archive, FakeQueries(answers), connections=("default", "second")), DAY)
    manifest = json.loads(archive.files[f"{NAME}/manifest.json"])["completeness"]
    assert (manifest["hoursAsked"], manifest["hoursProved"], manifest["complete"]) == (48, 21, False)
    assert [(gap["connection"], gap["from"][11:13], gap["to"][8:13], gap["verdict"]) for gap in manifest["gaps"]] == [
        ("default", "04", "05T06", "missing"),
        ("default", "06", "05T07", "no proof"),
        ("second", "00", "06T00", "no proof"),
    ]
    assert written.proof is not None and "21 of 48 hours are proved; 3 gaps" in written.proof.sentence


async def test_unknown_completeness_is_not_called_complete() -> None:
    """When the proof itself could not be asked for, the first page says so."""
    answers = quiet()
    del answers["hours"]
    archive = MemoryArchive()
    written = await write_report(reporter(archive, FakeQueries(answers)), DAY)
    assert written.proof is not None and not written.proof.complete
    assert "Completeness is not known" in archive.files[f"{NAME}/report.html"].decode()


async def test_the_page_needs_nothing_else() -> None:
    """No script, no address to fetch, and what the feed says is text: a tag in a setting's value stays inert."""
    answers = quiet()
    answers["changes"] = Answer(("EventTime", "What"), [(NOW, "<script>alert(1)</script><img src=x>")])
    archive = MemoryArchive()
    await write_report(reporter(archive, FakeQueries(answers)), DAY)
    page = archive.files[f"{NAME}/report.html"].decode()
    assert "<script" not in page and "<img" not in page and "&lt;script" in page.replace("<wbr>", "")
    assert not re.search(r"<[^>]*(src|href)=|url\(|@import", page) and "default-src 'none'" in page
    assert all(counter in page for counter in ("counter(page)", "counter(pages)", "table-header-group"))


async def test_a_long_table_is_shown_in_part_and_says_so() -> None:
    """Nobody prints ten thousand rows; the CSV has them all."""
    answers = quiet()
    rows = [(NOW, f"activity_{number}") for number in range(2_500)]
    answers["provider"] = Answer(("EventTime", "What"), rows)
    archive = MemoryArchive()
    await write_report(reporter(archive, FakeQueries(answers)), DAY)
    page = archive.files[f"{NAME}/report.html"].decode()
    assert "The first 2,000 of 2,500 rows; provider.csv has all of them." in page
    assert page.count("<td>activity_") == 2_000 and archive.files[f"{NAME}/provider.csv"].count(b"\r\n") == 2_501


def test_no_connection_is_no_proof() -> None:
    """An empty workspace proves nothing, and is not complete."""
    nothing = coverage(Table(questions()[1], ""), DAY, ())
    assert (nothing.asked, nothing.proved, nothing.complete) == (24, 0, False)
