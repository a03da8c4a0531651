"""versions.lock.json: which version of what was released. What changes after that needs a higher version."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentinel.tools.load.content import File
from sentinel.tools.load.problems import ROOT, ContentError, Problem

PATH = ROOT / "versions.lock.json"
# What a workspace never sees may change freely.
_OURS = frozenset({"tests", "equivalent_mutants", "source", "expected_per_month", "execution", "execution_reason"})

Released = dict[str, dict[str, str]]


def digest(file: File[Any]) -> str:
    """SHA-256 of everything that is deployed or shown to an analyst, the version left out."""
    said = file.value.model_dump(mode="json", exclude=_OURS | {"version"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read(path: Path = PATH) -> Released:
    """id -> {slug, version, digest} of the last release."""
    released: Released = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return released


def problems(files: Iterable[File[Any]], released: Released) -> list[Problem]:
    """A changed file without a higher version, an id that changed, a released file that is gone."""
    found, seen = [], set()
    ids = {entry["slug"]: id_ for id_, entry in released.items()}
    for file in files:
        seen.add(file.slug)
        entry = released.get(file.value.id)
        if entry is None:
            if file.slug in ids:
                found.append(file.problem(f"the id was {ids[file.slug]} and never changes", "id"))
        elif digest(file) != entry["digest"] and _parts(file.value.version) <= _parts(entry["version"]):
            found.append(file.problem(f"changed since {entry['version']}: needs a higher version", "version"))
    gone = sorted(entry["slug"] for entry in released.values() if entry["slug"] not in seen)
    found += [Problem(PATH, 0, f"{slug} was released and is gone: keep it as Deprecated") for slug in gone]
    return found


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def write(files: Iterable[File[Any]], path: Path = PATH) -> int:
    """Write what is released now; ContentError when something changed without a higher version. Returns the count."""
    files = list(files)
    if found := problems(files, read(path)):
        raise ContentError(found)
    entries = {
        file.value.id: {"slug": file.slug, "version": file.value.version, "digest": digest(file)} for file in files
    }
    in_order = dict(sorted(entries.items(), key=lambda entry: entry[1]["slug"]))
    path.write_text(json.dumps(in_order, indent=2) + "\n", encoding="utf-8")
    return len(entries)
