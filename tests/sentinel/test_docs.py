"""docs/detections.md shows every rule and hunt, and what is not built, with the reason."""

import re
from pathlib import Path

import pytest

from sentinel.tools.load import content
from sentinel.tools.load.models import Rule
from tools.docs import build_detections


@pytest.fixture(scope="module")
def page() -> str:
    return build_detections.rendered()


def test_every_rule_and_hunt_stands_in_an_overview_and_has_a_section(page: str) -> None:
    """Each is linked once from a table, and the link leads to its own section."""
    for file in content.all_detections():
        assert page.count(f"](#{file.slug})") == 1, file.slug
        assert page.count(f'<a id="{file.slug}"></a>') == 1, file.slug


def test_a_section_says_all_that_an_analyst_needs(page: str) -> None:
    """Why that severity, what to do, what it misses, what is harmless, and how it was proved."""
    sections = dict(re.findall(r'<a id="([^"]+)"></a>\n(.*?)(?=\n<a id=|\n## |\Z)', page, re.DOTALL))
    for file in content.all_detections():
        wanted = ["- Misses: ", "- False positives: ", "- Proved: "]
        if isinstance(file.value, Rule):
            wanted += ["- Runbook:\n", f"- **{file.value.severity}**: "]
            wanted += ["- **Contain**: "] if file.value.severity == "High" else []
        assert [part for part in wanted if part not in sections[file.slug]] == [], file.slug


def test_what_is_not_built_says_why_and_is_not_built(page: str) -> None:
    """Each idea of sentinel/unbuilt.yaml is on the page, and leaves the list with the file that carries its slug."""
    slugs = {file.slug for file in content.all_detections()}
    for idea in build_detections.unbuilt():
        assert idea["slug"] not in slugs
        assert f"`{idea['slug']}`" in page and idea["reason"] in page


def test_a_page_changed_by_hand_is_named(page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A check writes nothing and says which page differs; what was written is not complained about."""
    path = tmp_path / "detections.md"
    assert build_detections.settle(page, path, check=False) == 0
    assert build_detections.settle(page, path, check=True) == 0
    path.write_text("by hand", encoding="utf-8")
    assert build_detections.settle(page, path, check=True) == 1
    assert "detections.md" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "by hand"
