"""The page in a real browser; `seen` is what one drive through it found (drive.cjs)."""

from typing import Any

import pytest

from sandbox.page.serve import Opened
from sentinel.tools.workbook.model import read
from tests.page.conftest import SHOTS

BOOK = read()


def test_nothing_leaves_this_machine(seen: dict[str, Any]) -> None:
    """No request goes anywhere but to 127.0.0.1, and none fails."""
    assert seen["outside"] == []
    assert seen["failed"] == []


def test_console_says_nothing_unexpected(seen: dict[str, Any]) -> None:
    """No script error and no content policy violation; the browser logs refused queries, which are expected."""
    assert [said for said in seen["console"] if "422 (Unprocessable" not in said] == []


@pytest.mark.parametrize("page", BOOK.pages, ids=lambda page: page.slug)
def test_every_tile_shows_data_or_says_why_not(page: Any, seen: dict[str, Any]) -> None:
    """The tab has its tiles in order, none is still waiting, none failed, and an empty one gives its reason."""
    tiles = seen["tabs"][page.slug]
    assert [tile["id"] for tile in tiles] == [tile.id for tile in page.tiles]
    for tile, source in zip(tiles, page.tiles, strict=True):
        assert tile["busy"] is None
        assert tile["state"] in ("data", "empty"), tile
        if tile["state"] == "empty":
            assert tile["text"].startswith(source.empty or "?")


def test_most_tiles_show_data(seen: dict[str, Any]) -> None:
    """Over an active tenant two thirds of the tiles have rows, so that empty tiles are the exception."""
    states = [tile["state"] for tiles in seen["tabs"].values() for tile in tiles]
    assert states.count("data") > 2 / 3 * len(states)


def test_drill_down_shows_rows_and_closes(seen: dict[str, Any]) -> None:
    """A click on a category opens its rows, the address says so, and Escape takes both back."""
    drill = seen["drill"]
    assert drill["title"] == "Activities of this category"
    assert drill["rows"] > 0
    assert "drill=category" in drill["hash"]
    assert "drill=" not in drill["closed"]


def test_drill_down_leads_to_one_person(seen: dict[str, Any]) -> None:
    """From a name in a table to the tab One person, with that person chosen."""
    person = seen["person"]
    assert person["field"].endswith(".example")
    assert any(tile["id"] == "timeline" and tile["state"] == "data" for tile in person["tiles"])


def test_bars_can_be_clicked(seen: dict[str, Any]) -> None:
    """A click on a bar opens the rows it stands for."""
    assert "drill=type" in seen["bar"]


def test_parameters_change_the_tiles_and_live_in_the_address(seen: dict[str, Any]) -> None:
    """A shorter period shows less, a link shows the same again, and one organization is less than all."""
    counts = ("month", "week", "again", "organization")
    found = {name: int(seen["parameters"][name].replace(",", "")) for name in counts}
    assert found["week"] < found["month"]
    assert found["again"] == found["week"]
    assert found["organization"] < found["week"]
    assert "TimeRange=7d" in seen["parameters"]["hash"]
    assert seen["parameters"]["kept"] == "7d"


def test_impossible_period_is_refused_in_words(seen: dict[str, Any]) -> None:
    """With an end before the first activity, the tile suggests what to change."""
    assert "look back further" in seen["parameters"]["refused"]


def test_kql_box(seen: dict[str, Any]) -> None:
    """Rows, a chart, a file, a link that brings the query back, and a refusal with its place."""
    kql = seen["kql"]
    assert kql["rows"] >= 20
    assert kql["file"] == "answer.csv"
    assert kql["linked"].startswith("ClaudeActivity | summarize Activities")
    assert "NoSuchColumn" in kql["refused"]
    assert "line 1" in kql["refused"]


def test_keyboard_is_enough(seen: dict[str, Any]) -> None:
    """Arrow keys move between tabs, and every control has an accessible name."""
    assert seen["keyboard"]["focused"] == "tab-identity"
    assert seen["keyboard"]["shown"] == "Identity"
    assert seen["keyboard"]["unnamed"] == []


def test_rules_are_listed_with_what_they_found(seen: dict[str, Any], opened: Opened) -> None:
    """Every readable rule has a verdict; without rules the page shows a message."""
    from sandbox.page import rules

    listed, _ = rules.listed()
    assert seen["rules"]["listed"] == len(listed)
    assert seen["rules"]["unsettled"] == 0
    assert ("would have fired" if listed else "There is no rule") in seen["rules"]["summary"]


def test_light_and_dark(seen: dict[str, Any]) -> None:
    """The system's choice is followed, the button changes it, and the change is remembered."""
    theme = seen["theme"]
    assert theme["dark"] != theme["light"] == theme["kept"]


def test_screenshots_are_kept(seen: dict[str, Any]) -> None:
    """Every tab in light and dark, for people to look at."""
    wanted = {f"{page.slug}-{theme}.png" for page in BOOK.pages for theme in ("light", "dark")}
    assert wanted <= set(seen["shots"])
    assert all((SHOTS / name).stat().st_size > 20_000 for name in wanted)
