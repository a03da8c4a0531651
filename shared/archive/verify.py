"""Checks a stored report: every file against the manifest's digests, and the manifest against its seal."""

import json
from dataclasses import dataclass
from typing import Any

from shared.archive.seal import MANIFEST, SEAL, VERSION, NotSealed, PublicKey, check_seal, sha256
from shared.archive.store import ArchiveStore, checked
from shared.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: whether it is as it should be, in one sentence."""

    good: bool
    sentence: str


async def verify(archive: ArchiveStore, name: str, public: PublicKey | None) -> list[Finding]:
    """Every finding; the report is sound when all are good. Raises ConfigError when there is no report to check.

    `name` must be the manifest's own: a sealed report of another period, copied here, is not this one.
    Without `public` a sealed report cannot be sound, and with it an unsigned one cannot: whoever can replace files can
    leave the seal out.
    """
    stored = await archive.get(f"{name}/{MANIFEST}")
    if stored is None:
        raise ConfigError(f"{name} has no {MANIFEST}: it is not a report, or was never finished")
    try:
        manifest = json.loads(stored)
        files = {checked(path): str(about["sha256"]) for path, about in manifest["files"].items()}
        version, signed_with = manifest["manifestVersion"], manifest["signedWith"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [Finding(False, f"{MANIFEST} cannot be read: it was changed or cut off.")]
    findings = [] if version == VERSION else [Finding(False, f"The manifest's version {version} is not known here.")]
    if manifest.get("report") != name:
        findings.append(Finding(False, f"The manifest is of the report {manifest.get('report')}, not of {name}."))
    findings += await _files(archive, name, files)
    seal = await archive.get(f"{name}/{SEAL}")
    return [*findings, _seal(seal, stored, signed_with, public), _completeness(manifest)]


async def _files(archive: ArchiveStore, name: str, files: dict[str, str]) -> list[Finding]:
    findings = []
    for path, digest in sorted(files.items()):
        data = await archive.get(f"{name}/{path}")
        if data is None:
            findings.append(Finding(False, f"{path} is missing."))
        elif sha256(data) != digest:
            findings.append(Finding(False, f"{path} was changed: its SHA-256 is not the manifest's."))
    if not findings:
        findings.append(Finding(True, f"All {len(files)} files are the ones the manifest names."))
    unknown = sorted(set(await archive.names(name)) - {*files, MANIFEST, SEAL})
    if unknown:
        findings.append(Finding(False, f"The manifest does not name {', '.join(unknown)}."))
    return findings


def _seal(seal: bytes | None, manifest: bytes, signed_with: object, public: PublicKey | None) -> Finding:
    if signed_with is None and seal is None:
        if public is None:
            return Finding(True, "The report is not signed: the digests show only that its files belong together.")
        return Finding(False, "The report is not signed, though a key was given to check it with.")
    if seal is None:
        return Finding(False, f"{SEAL} is missing, though the manifest names a key that signed it.")
    if public is None:
        return Finding(False, "The signature was not checked: name the public key (--key FILE, or --key vault).")
    try:
        key = check_seal(seal, manifest, public)
    except NotSealed as why:
        return Finding(False, str(why))
    if key != signed_with:
        return Finding(False, f"The manifest and {SEAL} name different keys.")
    return Finding(True, f"The manifest is sealed with this key ({key}).")


def _completeness(manifest: dict[str, Any]) -> Finding:
    """What the report states of its period; a gap is a finding about the period, not a fault of the files."""
    proof = manifest.get("completeness", {})
    failed = [str(table.get("name")) for table in manifest.get("tables", []) if table.get("failure")]
    sentence = f"{proof.get('hoursProved')} of {proof.get('hoursAsked')} hours of the period are proved"
    return Finding(True, f"{sentence}; not answered: {', '.join(failed)}." if failed else f"{sentence}.")
