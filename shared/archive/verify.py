"""Checks a stored report: every file against the manifest's digests, and the manifest against its signature."""

import json
from dataclasses import dataclass
from typing import Any

from shared.archive.seal import MANIFEST, SIGNATURE, VERSION, PublicKey, decode, holds, sha256
from shared.archive.store import Shelf
from shared.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: whether it holds, in one sentence."""

    good: bool
    sentence: str


async def verify(shelf: Shelf, name: str, public: PublicKey | None) -> list[Finding]:
    """Every finding; the report is sound when all are good. Raises ConfigError when there is no report to check.

    Without `public` a signed report cannot be sound, and with it an unsigned one cannot: whoever can replace files can
    leave the signature out.
    """
    sealed = await shelf.get(f"{name}/{MANIFEST}")
    if sealed is None:
        raise ConfigError(f"{name} holds no {MANIFEST}: it is no report, or was never finished")
    try:
        told = json.loads(sealed)
        files = {str(path): str(about["sha256"]) for path, about in told["files"].items()}
        version, signed_with = told["manifestVersion"], told["signedWith"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Finding(False, f"{MANIFEST} cannot be read: it was changed or cut off.")]
    findings = [] if version == VERSION else [Finding(False, f"The manifest's version {version} is not known here.")]
    findings += await _files(shelf, name, files)
    return [*findings, await _signature(shelf, name, sealed, signed_with, public), _complete(told)]


async def _files(shelf: Shelf, name: str, files: dict[str, str]) -> list[Finding]:
    findings = []
    for path, digest in sorted(files.items()):
        data = await shelf.get(f"{name}/{path}")
        if data is None:
            findings.append(Finding(False, f"{path} is missing."))
        elif sha256(data) != digest:
            findings.append(Finding(False, f"{path} was changed: its SHA-256 is not the manifest's."))
    if not findings:
        findings.append(Finding(True, f"All {len(files)} files are the ones the manifest names."))
    strangers = sorted(set(await shelf.names(name)) - {*files, MANIFEST, SIGNATURE})
    if strangers:
        findings.append(Finding(False, f"The manifest does not name {', '.join(strangers)}."))
    return findings


async def _signature(
    shelf: Shelf, name: str, sealed: bytes, signed_with: str | None, public: PublicKey | None
) -> Finding:
    stored = await shelf.get(f"{name}/{SIGNATURE}")
    if signed_with is None and stored is None:
        if public is None:
            return Finding(True, "The report is not signed: the digests show only that its files belong together.")
        return Finding(False, "The report is not signed, though a key was given to check it with.")
    if stored is None:
        return Finding(False, f"{SIGNATURE} is missing, though the manifest says that it was signed.")
    if public is None:
        return Finding(False, "The signature was not checked: name the public key (--key FILE, or --key vault).")
    try:
        signature = decode(stored)
    except ValueError:
        return Finding(False, f"{SIGNATURE} cannot be read: it was changed or cut off.")
    if not holds(public, signature, sealed):
        return Finding(False, "The signature does not fit: the manifest was changed, or another key signed it.")
    return Finding(True, f"The manifest is signed with this key ({signature.key}).")


def _complete(told: dict[str, Any]) -> Finding:
    """What the report says of itself; a gap is a finding about the period, not a fault of the files."""
    proof = told.get("completeness", {})
    failed = [str(table.get("name")) for table in told.get("tables", []) if table.get("failure")]
    sentence = f"It says that {proof.get('hoursProved')} of {proof.get('hoursAsked')} hours were proved"
    return Finding(True, f"{sentence}; not answered: {', '.join(failed)}." if failed else f"{sentence}.")
