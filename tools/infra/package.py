"""The release: one zip with the app and all its wheels, so that nothing is built, or fetched, in the tenant.

    python -m tools infra package                # build/bridge-3.12.zip and its .sha256
    python -m tools infra package --python 3.13
    python -m tools infra package --lock         # infra/wheels.txt anew, after a change of requirements.txt

The same commit gives the same bytes on every machine: files by name, times fixed, wheels by hash.
"""

import ast
import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tools.infra import wheels
from tools.infra.wheels import LOCK, ROOT, WheelsRefused

CARRIED = ("function_app.py", "host.json", "requirements.txt", "shared")
SITE = Path(".python_packages/lib/site-packages")
"""Where the Functions host looks for packages that came along."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can tell

Fetch = Callable[[str, Path], None]
"""Puts the wheels for a version of Python into a folder."""


def build(target: Path, python: str, fetch: Fetch = wheels.fetch) -> str:
    """Write the zip, and beside it its SHA-256, which is returned. Raises WheelsRefused when something is missing."""
    with tempfile.TemporaryDirectory() as room:
        stage, downloads = Path(room) / "stage", Path(room) / "wheels"
        downloads.mkdir()
        _copy_app(stage)
        fetch(python, downloads)
        wheels.unpack(downloads, stage / SITE)
        if found := wheels.missing(stage / SITE, python) + strangers(stage):
            raise WheelsRefused("\n".join(found))
        _zip(stage, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_suffix(".zip.sha256").write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return digest


def strangers(stage: Path) -> list[str]:
    """Imports of the app that neither it, nor its packages, nor Python answer."""
    return [
        f"{path.relative_to(stage)} imports {name}, which is in no package"
        for path in sorted([stage / "function_app.py", *(stage / "shared").rglob("*.py")])
        for name in sorted(_imported(path))
        if name.partition(".")[0] not in sys.stdlib_module_names
        if not any(_answers(root, name.split(".")) for root in (stage, stage / SITE))
    ]


def _imported(path: Path) -> set[str]:
    """Dotted names that a file imports; of `from a import b` both together, since b may be a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _answers(folder: Path, names: list[str]) -> bool:
    """Whether a module or package is found on the way down; in a package with code of its own anything may be."""
    first, *rest = names
    if (folder / first / "__init__.py").is_file() or any(folder.glob(f"{first}.*")):
        return True
    return bool(rest) and (folder / first).is_dir() and _answers(folder / first, rest)


def _copy_app(stage: Path) -> None:
    stage.mkdir()
    for name in CARRIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, stage / name, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.md"))
        else:
            shutil.copyfile(source, stage / name)


def _zip(stage: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        files = {path.relative_to(stage).as_posix(): path for path in stage.rglob("*") if path.is_file()}
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, path.read_bytes())


def release(python: str, folder: Path, *, lock: bool) -> int:
    """Build the zip, or write the lock. 1 when wheels are missing or refused."""
    try:
        if lock:
            LOCK.write_text(wheels.lock(), encoding="utf-8")
            sys.stdout.write(f"written: {LOCK.name}\n")
            return 0
        target = folder / f"bridge-{python}.zip"
        digest = build(target, python)
    except WheelsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stdout.write(f"{target}  {target.stat().st_size / 1e6:.1f} MB  sha256 {digest}\n")
    return 0
