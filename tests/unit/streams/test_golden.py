"""Activities and the rows they must become; rewrite with `python -m tests.unit.streams.golden_pairs`."""

from pathlib import Path

import pytest

from shared.streams.activity import catalogue
from shared.streams.activity.fold import fold, unfold

from . import golden_pairs


@pytest.mark.parametrize("path", golden_pairs.paths(), ids=lambda path: path.stem)
def test_the_row_is_as_reviewed(path: Path) -> None:
    """The activity becomes the row beside it, and the row the activity again, but for what was withheld."""
    pair = golden_pairs.read(path)
    row = fold(pair["activity"], golden_pairs.CARRIAGE).row
    assert row == pair["row"]
    assert unfold(row) == pair["activity"] | dict.fromkeys(row.get("Handling", {}).get("withheld", ()))


def test_every_documented_actor_has_a_pair() -> None:
    """No kind of actor is without an example that somebody has reviewed."""
    shown = {golden_pairs.read(path)["row"].get("ActorType") for path in golden_pairs.paths()}
    assert catalogue.load().actors.keys() < shown
