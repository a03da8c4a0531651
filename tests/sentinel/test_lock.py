"""What was released changes only with a higher version."""

import json
from pathlib import Path

import pytest

from sentinel.tools.check import lock
from sentinel.tools.load.problems import ContentError
from tests.sentinel.drafts import OFF, QUERY, loaded

OTHER_TESTS = [{"name": "off", "fires": True, "activities": [OFF]}]


def test_a_changed_rule_needs_a_higher_version(tmp_path: Path) -> None:
    """Query, text and times are locked; tests may change; a higher version frees all."""
    path = tmp_path / "lock.json"
    assert lock.write([loaded(tmp_path)], path) == 1
    released = lock.read(path)
    assert lock.problems([loaded(tmp_path, tests=OTHER_TESTS)], released) == []
    changed = loaded(tmp_path, query=QUERY + "| take 5\n")
    assert ["needs a higher version" in problem.reason for problem in lock.problems([changed], released)] == [True]
    with pytest.raises(ContentError):
        lock.write([changed], path)
    assert lock.problems([loaded(tmp_path, query=QUERY + "| take 5\n", version="1.0.1")], released) == []


def test_a_released_rule_keeps_its_id_and_its_place(tmp_path: Path) -> None:
    """A new id for an old slug, and a rule that is gone, are told."""
    path = tmp_path / "lock.json"
    lock.write([loaded(tmp_path)], path)
    renamed = loaded(tmp_path, id="00000000-0000-4000-8000-000000000002")
    assert "never changes" in lock.problems([renamed], lock.read(path))[0].reason
    assert "is gone" in lock.problems([], lock.read(path))[0].reason


def test_the_lock_is_in_the_order_of_slugs(tmp_path: Path) -> None:
    """A release changes the lines of what changed, and no others."""
    path = tmp_path / "lock.json"
    lock.write([loaded(tmp_path)], path)
    assert list(next(iter(json.loads(path.read_text()).values()))) == ["slug", "version", "digest"]
