"""The release zip: what it holds, the same bytes each time, and nothing missing; with small wheels made here."""

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import files as installed_files
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tools.infra import package, wheels
from tools.infra.package import SITE, Fetch, build, unresolved_imports
from tools.infra.wheels import PYTHONS, WheelsRefused, locked, missing, required, unpack

Wheel = Callable[..., Path]


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """Makes a wheel: `files` by name, `requires` in its metadata."""

    def made(name: str, version: str = "1.0", files: Mapping[str, str] | None = None, requires: str = "") -> Path:
        path = tmp_path / "index" / f"{name}-{version}-py3-none-any.whl"
        path.parent.mkdir(exist_ok=True)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + requires
        with zipfile.ZipFile(path, "w") as archive:
            for inside, text in {f"{name}/__init__.py": "", **(files or {})}.items():
                archive.writestr(inside, text)
            archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
        return path

    return made


@pytest.fixture
def fetch(wheel: Wheel) -> Fetch:
    """Wheels by the names and versions of the lock, each with the modules that the real one has."""

    def put(python: str, folder: Path) -> None:
        for name, version in locked(python).items():
            files = {str(path): "" for path in installed_files(name) or () if path.suffix in (".py", ".so")}
            path = wheel(name.replace("-", "_"), version, files)
            (folder / path.name).write_bytes(path.read_bytes())

    return put


def test_the_zip_holds_the_app_and_its_wheels(tmp_path: Path, fetch: Fetch) -> None:
    """Three files, shared/, and the packages where the host looks for them: no test, sandbox, template or cache."""
    digest = build(tmp_path / "bridge.zip", "3.12", fetch)
    with zipfile.ZipFile(tmp_path / "bridge.zip") as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"function_app.py", "host.json", "requirements.txt", "shared", ".python_packages"}
    assert f"{SITE.as_posix()}/msgspec/__init__.py" in names
    files = {"shared/tables/ClaudeActivity_CL.json", "shared/report/page.html.j2", "shared/report/page.css"}
    assert files <= set(names)
    assert [name for name in names if name.endswith((".pyc", ".md")) or "__pycache__" in name] == []
    told = (tmp_path / "bridge.zip.sha256").read_text(encoding="utf-8")
    assert told == f"{digest}  bridge.zip\n"
    assert digest == hashlib.sha256((tmp_path / "bridge.zip").read_bytes()).hexdigest()


def test_the_same_commit_gives_the_same_bytes(tmp_path: Path, fetch: Fetch) -> None:
    """Two builds, in two places, are one file: names in order, times fixed, nothing of this machine inside."""
    first = build(tmp_path / "a" / "bridge.zip", "3.12", fetch)
    second = build(tmp_path / "b" / "bridge.zip", "3.12", fetch)
    assert first == second
    with zipfile.ZipFile(tmp_path / "a" / "bridge.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time[0], entry.external_attr >> 16) for entry in entries} == {(1980, 0o100644)}


def test_a_zip_without_one_of_its_wheels_is_not_written(tmp_path: Path, fetch: Fetch) -> None:
    """Better no release than one that fails at its first start."""

    def forgets(python: str, folder: Path) -> None:
        fetch(python, folder)
        next(folder.glob("msgspec-*")).unlink()

    with pytest.raises(WheelsRefused, match=r"requirements\.txt requires msgspec"):
        build(tmp_path / "bridge.zip", "3.12", forgets)
    assert not (tmp_path / "bridge.zip").exists()


def test_what_a_package_asks_for_must_be_there(tmp_path: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Markers are those of the Python in Azure, versions count, extras that nobody asked for do not."""
    empty = tmp_path / "requirements.txt"
    empty.write_text("", encoding="utf-8")
    monkeypatch.setattr(wheels, "REQUIREMENTS", empty)
    requires = (
        "Requires-Dist: other>=2\nRequires-Dist: old; python_version < '3.12'\n"
        "Requires-Dist: new; python_version >= '3.13'\nRequires-Dist: spare; extra == 'all'\n"
    )
    wheel("asks", requires=requires)
    folder = wheel("other").parent
    unpack(folder, tmp_path / "site")
    assert missing(tmp_path / "site", "3.12") == ["asks requires other>=2; found: 1.0"]
    assert missing(tmp_path / "site", "3.13") == [
        "asks requires other>=2; found: 1.0",
        'asks requires new; python_version >= "3.13"; found: none',
    ]


def test_an_import_that_nothing_answers_is_named(tmp_path: Path) -> None:
    """A module in no wheel, not in the app, not Python's own; a part of a name that packages share does not do."""
    (tmp_path / "shared").mkdir()
    for name in ("httpx", "azure/identity/aio"):
        (tmp_path / SITE / name).mkdir(parents=True)
        (tmp_path / SITE / name.removesuffix("/aio") / "__init__.py").touch()
    (tmp_path / "function_app.py").write_text(
        "import json\nimport httpx\nfrom shared import a\nfrom azure.identity.aio import X\n", encoding="utf-8"
    )
    (tmp_path / "shared" / "__init__.py").touch()
    (tmp_path / "shared" / "a.py").write_text(
        "def f():\n    from pandas import io\n    from azure.keyvault import keys\n", encoding="utf-8"
    )
    assert unresolved_imports(tmp_path) == [
        "shared/a.py imports azure.keyvault.keys, which is in no package",
        "shared/a.py imports pandas.io, which is in no package",
    ]


def test_scripts_and_data_of_a_wheel_are_left_out(tmp_path: Path, wheel: Wheel) -> None:
    """What a wheel puts under purelib or platlib is laid out with the rest; scripts hold a path of the machine."""
    files = {"a-1.0.data/scripts/run": "#!python", "a-1.0.data/platlib/a/fast.py": "1"}
    unpack(wheel("a", files=files).parent, tmp_path / "site")
    assert (tmp_path / "site" / "a" / "fast.py").read_text(encoding="utf-8") == "1"
    assert list((tmp_path / "site").rglob("run")) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_of_these_requirements(python: str) -> None:
    """Each package of requirements.txt is locked in that version; after a change: `package --lock`."""
    have = locked(python)
    wrong = [
        one for one in required(python) if have.get(canonicalize_name(one.name)) != next(iter(one.specifier)).version
    ]
    assert wrong == []


def test_every_locked_wheel_has_its_hash() -> None:
    """pip takes nothing else; a line for each package, none twice."""
    lines = [line for line in wheels.LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert all(len(line.partition(" --hash=sha256:")[2]) == 64 for line in lines)
    assert len(lines) == sum(len(locked(python)) for python in PYTHONS)


def test_wheels_that_cannot_be_had_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and pip's own words."""

    def refuses(target: Path, python: str) -> str:
        raise WheelsRefused("pip download: no such index")

    monkeypatch.setattr(package, "build", refuses)
    assert package.release("3.12", tmp_path, lock=False) == 1
    assert "no such index" in capsys.readouterr().err
