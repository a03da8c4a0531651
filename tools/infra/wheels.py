"""The wheels of the deployed app: pinned by hash in infra/wheels.txt, downloaded by pip, unpacked without it.

They are not installed, because pip writes paths and its own version into what it installs, and the same wheels must
give the same zip on every machine.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "infra" / "wheels.txt"
REQUIREMENTS = ROOT / "requirements.txt"
PYTHONS = ("3.12", "3.13")
# Flex Consumption runs on x86-64 with glibc 2.28 or newer (Debian 11 has 2.31).
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_HEAD = """# Made by `python -m tools infra package --lock` from requirements.txt: what it takes to run, by Python.
# A zip holds exactly these files; pip refuses one of another hash.
"""


class WheelsRefused(Exception):
    """The wheels cannot be downloaded, or are inconsistent; the message has the reason."""


def fetch(python: str, folder: Path) -> None:
    """Download the locked wheels for this version of Python into `folder`. Raises WheelsRefused."""
    with tempfile.TemporaryDirectory() as scratch:
        part = Path(scratch) / "wheels.txt"
        part.write_text(_parts()[python], encoding="utf-8")
        _pip(
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--dest",
            str(folder),
            *_aim(python),
            "-r",
            str(part),
        )


def unpack(folder: Path, site: Path) -> None:
    """Unpack the wheels of `folder` as a site-packages folder, without their scripts, which are not used."""
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                inside = re.sub(r"^[^/]+\.data/(?:purelib|platlib)/", "", name)
                if inside.endswith("/") or re.match(r"^[^/]+\.data/", inside):
                    continue
                target = site / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


def missing(site: Path, python: str) -> list[str]:
    """Requirements of requirements.txt and of the packages in `site` that `site` lacks, for this Python on Linux."""
    have = dict(_installed(site))
    wanted = [("requirements.txt", requirement) for requirement in required(python)]
    for folder in sorted(site.glob("*.dist-info")):
        metadata = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
        wanted += [(metadata["Name"], Requirement(line)) for line in metadata.get_all("Requires-Dist") or ()]
    return [
        f"{who} requires {requirement}; found: {have.get(canonicalize_name(requirement.name), 'none')}"
        for who, requirement in wanted
        if _applies(requirement, python) and not _satisfied(requirement, have)
    ]


def required(python: str) -> list[Requirement]:
    """The requirements in requirements.txt for this version of Python."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    return [requirement for requirement in map(Requirement, filter(None, lines)) if _applies(requirement, python)]


def _applies(requirement: Requirement, python: str) -> bool:
    """Whether the marker applies in Azure. pip would evaluate it for the Python it runs on."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _satisfied(requirement: Requirement, have: dict[str, str]) -> bool:
    version = have.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _installed(site: Path) -> Iterator[tuple[str, str]]:
    for folder in site.glob("*.dist-info"):
        metadata = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
        yield canonicalize_name(metadata["Name"]), metadata["Version"]


def locked(python: str) -> dict[str, str]:
    """Name -> version of the wheels in the lock."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", _parts()[python], re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def _parts() -> dict[str, str]:
    """Version of Python -> its part of the lock."""
    _, *rest = re.split(r"^# Python (\S+)$", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(rest[::2], rest[1::2], strict=True))


def lock() -> str:
    """The text of a new lock: versions that requirements.txt does not pin are the newest in the index."""
    return _HEAD + "".join(f"\n# Python {python}\n{_pinned(python)}" for python in PYTHONS)


def _pinned(python: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("".join(f"{one.name}{one.specifier}\n" for one in required(python)), encoding="utf-8")
        _pip("download", "--quiet", "--dest", folder, *_aim(python), "-r", str(asked))
        pins = sorted(
            (*parse_wheel_filename(wheel.name)[:2], hashlib.sha256(wheel.read_bytes()).hexdigest())
            for wheel in Path(folder).glob("*.whl")
        )
    return "".join(f"{name}=={version} --hash=sha256:{digest}\n" for name, version, digest in pins)


def _aim(python: str) -> list[str]:
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    return [*platforms, "--python-version", python, "--implementation", "cp", "--only-binary=:all:"]


def _pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WheelsRefused(f"pip {arguments[0]}: {done.stderr.strip()}")
