"""`report` as typed, against a served workspace through the official client; `report verify` against what it wrote."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner, Result

from shared.archive.seal import pem_of
from shared.cli.report import report_app
from tests.cli.conftest import Desk, at_desk


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(report_app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def write(desk: Desk, out: Path, *, code: int) -> tuple[Path, dict[str, Any]]:
    """Folder and summary of a report of yesterday and today up to now, of a tenant with a few activities."""
    desk.happen(5)
    desk.handle()
    start, end = desk.now.replace(minute=0, second=0, microsecond=0), desk.now
    told = run("--from", f"{start:%Y-%m-%d}T00:00", "--to", f"{end:%Y-%m-%dT%H:%M:%S}", "--out", str(out), "--json")
    assert told.exit_code == code, told.output
    (folder,) = out.iterdir()
    return folder, json.loads(told.stdout)


@pytest.fixture
def written(desk: Desk, tmp_path: Path) -> Path:
    """A report whose every question was answered; today's hours are not all proved yet."""
    folder, summary = write(desk, tmp_path / "reports", code=1)
    assert summary["failed"] == [] and summary["new"]
    assert summary["address"] == str(folder / "report.html")
    return folder


def test_what_was_not_answered_is_told(quiet: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the manifest with the reason: here the workspace has no watchlists, as one without Sentinel."""
    with at_desk(monkeypatch, tmp_path / "state", given=()) as desk:
        folder, summary = write(desk, tmp_path / "reports", code=1)
    assert summary["failed"] == ["changes", "exceptions"]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    failed = {table["name"]: table["failure"] for table in manifest["tables"] if table["failure"]}
    assert failed.keys() == {"changes", "exceptions"} and all("deploy the parsers" in why for why in failed.values())
    assert manifest["completeness"]["hoursAsked"] > 0


def test_verify_says_in_one_sentence_each_what_holds(written: Path) -> None:
    """The folder, its page or its manifest may be named; a changed file ends with exit code 1."""
    for path in (written, written / "report.html"):
        sound = run("verify", str(path))
        assert sound.exit_code == 0 and "files are the ones the manifest names" in sound.stdout
        assert "not signed" in sound.stdout
    changed = written / "scope.csv"
    changed.chmod(0o600)
    changed.write_bytes(changed.read_bytes() + b"x")
    broken = run("verify", str(written), "--json")
    found = json.loads(broken.stdout)
    assert broken.exit_code == 1 and not found["holds"]
    assert [each["sentence"] for each in found["findings"] if not each["good"]] == [
        "scope.csv was changed: its SHA-256 is not the manifest's."
    ]


def test_an_unsigned_report_does_not_pass_for_a_signed_one(written: Path, tmp_path: Path) -> None:
    """Who brings a key expects a signature."""
    pem = tmp_path / "public.pem"
    pem.write_text(pem_of(rsa.generate_private_key(65537, 2048).public_key()))
    result = run("verify", str(written), "--key", str(pem))
    assert result.exit_code == 1 and "not signed, though a key was given" in result.stdout


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-10-01"), "name both --from and --to"),
        (("--from", "2026-10-01", "--to", "2026-11-01", "--out", "x"), "WORKSPACE_ID must be set"),
        (("verify", "nowhere"), "is not a report"),
        (("verify", "https://account.blob.example.com/reports"), "name the report's address"),
        (("verify", "nowhere", "--key", "nowhere.pem"), "--key cannot be read"),
        (("verify", "nowhere", "--key", "vault"), "REPORT_SIGNING_KEY is not set"),
    ],
)
def test_a_refusal_is_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, with exit code 2 and nothing written."""
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2 and words in result.stderr and result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_refuses_leaves_no_report(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing right is one sentence with the role, not a report of ten failures."""
    monkeypatch.setenv("WORKSPACE_ID", "00000000-0000-4000-8000-000000000000")
    result = run("--from", "2026-10-01", "--to", "2026-10-02", "--out", str(tmp_path / "reports"))
    assert result.exit_code == 1 and "Log Analytics Data Reader" in result.stderr
    assert not (tmp_path / "reports").exists()
