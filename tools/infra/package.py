"""The release: one zip with the app and all its wheels, so that the tenant builds and downloads nothing.

    python -m tools infra package                # build/bridge-3.12.zip and its .sha256
    python -m tools infra package --python 3.13
    python -m tools infra package --lock         # updates infra/wheels.txt after a change of requirements.txt

The same commit gives the same bytes on every machine: files sorted by name, fixed times, wheels pinned by hash.
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

APP_FILES = ("function_app.py", "host.json", "requirements.txt", "shared")
SITE = Path(".python_packages/lib/site-packages")
"""Where the Functions host looks for bundled packages."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of the zip format

Fetch = Callable[[str, Path], None]
"""Downloads the wheels for a Python version into a folder."""


def build(target: Path, python: str, fetch: Fetch = wheels.fetch) -> str:
    """Write the zip and a .sha256 file; return the digest. Raises WheelsRefused if a package is missing."""
    with tempfile.TemporaryDirectory() as scratch:
        stage, downloads = Path(scratch) / "stage", Path(scratch) / "wheels"
        downloads.mkdir()
        _copy_app(stage)
        fetch(python, downloads)
        wheels.unpack(downloads, stage / SITE)
        if found := wheels.missing(stage / SITE, python) + unresolved_imports(stage):
            raise WheelsRefused("\n".join(found))
        _zip(stage, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_suffix(".zip.sha256").write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return digest


def unresolved_imports(stage: Path) -> list[str]:
    """Imports of the app that are found neither in it, nor in its packages, nor in the standard library."""
    return [
        f"{path.relative_to(stage)} imports {name}, which is in no package"
        for path in sorted([stage / "function_app.py", *(stage / "shared").rglob("*.py")])
        for name in sorted(_imported(path))
        if name.partition(".")[0] not in sys.stdlib_module_names
        if not any(_resolves(root, name.split(".")) for root in (stage, stage / SITE))
    ]


def _imported(path: Path) -> set[str]:
    """Dotted names that a file imports; `from a import b` counts as a.b, since b may be a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _resolves(folder: Path, names: list[str]) -> bool:
    """Whether a module or package of that name exists; inside a package with its own code every name is accepted."""
    first, *rest = names
    if (folder / first / "__init__.py").is_file() or any(folder.glob(f"{first}.*")):
        return True
    return bool(rest) and (folder / first).is_dir() and _resolves(folder / first, rest)


def _copy_app(stage: Path) -> None:
    stage.mkdir()
    for name in APP_FILES:
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
    """Build the zip, or write the lock. Returns 1 if wheels are missing or invalid."""
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
