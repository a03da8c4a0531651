"""The pytest options of tests/session.py, each tested in a separate pytest session."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.mark.sampled(3)
@pytest.mark.parametrize("n", range(10))
def test_case(n): pass

@pytest.mark.long
def test_soak(): pass
"""
SKIPS = """
import pytest

def test_page(): pytest.skip("chromium is missing")

@pytest.mark.xfail
def test_later(): assert False
"""


def session(folder: Path, text: str, *options: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a session with these tests."""
    (folder / "test_inner.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.session", "-p", "no:cacheprovider", "-v", *options]
    known = {"PYTHONPATH": str(ROOT), "PATH": "", "CHAOS_SEED": "4"} | environment
    ran = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def passed(output: str) -> list[str]:
    return re.findall(r"::(\S+) PASSED", output)


def test_the_default_session_samples_by_seed_and_skips_long_tests(tmp_path: Path) -> None:
    """Every third case, starting at an offset from the seed; --all, or the test's name, runs everything."""
    assert passed(session(tmp_path, TESTS)[1]) == ["test_case[1]", "test_case[4]", "test_case[7]"]
    assert passed(session(tmp_path, TESTS, CHAOS_SEED="5")[1]) == ["test_case[2]", "test_case[5]", "test_case[8]"]
    assert len(passed(session(tmp_path, TESTS, "--all")[1])) == 11
    assert passed(session(tmp_path, TESTS, "test_inner.py::test_soak")[1]) == ["test_soak"]


def test_a_skip_fails_the_session_in_ci(tmp_path: Path) -> None:
    """With --no-skips or CI=true each skipped test is listed; an expected failure is not a skip."""
    for code, output in (session(tmp_path, SKIPS, "--no-skips"), session(tmp_path, SKIPS, CI="true")):
        assert code == 1
        assert "FAILED, because it was skipped: test_inner.py::test_page: Skipped: chromium is missing" in output
        assert "test_later:" not in output
    assert session(tmp_path, SKIPS)[0] == 0
