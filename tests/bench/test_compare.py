"""The comparison at a small size: both sides get the same faults, and the report is correct. Times are not asserted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from azure.monitor.ingestion import LogsIngestionClient

from bench import baseline
from bench.compare import SIDES, measured
from bench.comparison_server import entries, write_feed
from bench.report import Machine, main, report
from bench.scenarios import BY_NAME, END, SCENARIOS, START, inject_faults, minute
from sandbox.faults import Faults
from shared.clock import SimulatedClock

MACHINE = Machine(2, "x86_64", "Linux", "CPython 3.11.7")


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The activities of a small tenant's busy hours."""
    path = tmp_path_factory.mktemp("feed") / "feed.jsonl"
    assert write_feed(path, people=20) > 30
    return path


def test_ours_loses_nothing_where_the_baseline_does(feed: Path) -> None:
    """Under all faults at once: ours 0 lost and 0 shown twice; the baseline loses late activities either way."""
    found = {side: measured("all", side, 0.02, feed) for side in SIDES}
    assert {each["expected"] for each in found.values()} == {found["ours"]["rows"] - found["ours"]["doubled"]}
    assert (found["ours"]["lost"], found["ours"]["shown_twice"]) == (0, 0)
    assert found["ours"]["crashes"] == 3
    assert found["before"]["lost"] > found["after"]["lost"] > 0
    assert all(each["rows"] == each["expected"] - each["lost"] + each["doubled"] for each in found.values())


@pytest.mark.long
def test_on_a_good_day_both_deliver_everything_once(feed: Path) -> None:
    """The baseline is correct without faults: it loses and repeats nothing."""
    for side in SIDES:
        outcome = measured("calm", side, 1, feed)
        assert (outcome["lost"], outcome["doubled"], outcome["failed_ticks"]) == (0, 0, 0)


def test_the_script_is_the_same_every_time(feed: Path) -> None:
    """Two runs of a scenario get the same activities at the same times."""
    one, other = ([*entries(BY_NAME["all"].thinned(0.01), feed)] for _ in range(2))
    assert one == other
    assert len({entry.id for entry in one}) == len(one)
    late = [entry for entry in one if entry.visible_at - entry.created_at > timedelta(minutes=1)]
    assert late and all(entry.visible_at < END - timedelta(minutes=10) for entry in one)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_faults_occur_in_their_minutes_only(scenario: Any) -> None:
    """Each fault period affects requests to its side between its minutes, and all faults end before the simulation."""
    api, sink = Faults(), Faults()
    inject_faults(scenario, api, sink)
    for number in range(int((END - START).total_seconds() // 60)):
        for side, faults in (("api", api), ("sink", sink)):
            fault_periods = [
                period
                for period in scenario.fault_periods
                if period.side == side and period.begin <= number < period.end
            ]
            met = {fault.kind for _ in range(20) if (fault := faults.next({"now": minute(number)}))}
            assert met == {period.kind for period in fault_periods}


class _Feed:
    """Two pages, then no more; can fail at the second."""

    def __init__(self, *, broken: bool) -> None:
        self.broken = broken

    def get(self, path: str, params: dict[str, Any]) -> Any:
        return _Answer({"data": [_activity(1)], "has_more": True, "last_id": "c"}, self.broken and "after_id" in params)


class _Answer:
    def __init__(self, page: dict[str, Any], broken: bool) -> None:
        self.page, self.broken = page, broken

    def raise_for_status(self) -> None:
        if self.broken:
            raise ValueError("429")

    def json(self) -> dict[str, Any]:
        return self.page


def _activity(number: int) -> dict[str, Any]:
    return {"id": f"activity_{number}", "type": "t", "created_at": "2026-10-05T13:00:00Z", "actor": {}}


@pytest.mark.parametrize(("saves", "moved"), [("before", True), ("after", False)])
def test_each_baseline_has_the_fault_that_its_docstring_names(saves: Any, moved: bool, tmp_path: Path) -> None:
    """A run that fails half-way has moved on (its window is lost), or has not (its first page comes twice)."""
    clock = SimulatedClock(START)
    uploads: list[Any] = []
    client: Any = type("Client", (), {"upload": lambda _, rule, stream, rows, **__: uploads.append(rows)})()
    http: Any = _Feed(broken=True)
    poller = baseline.Poller(http, client, tmp_path / "last", clock.now, saves)
    poller.begin()
    before = (tmp_path / "last").read_text()
    clock.advance(timedelta(minutes=5))
    with pytest.raises(ValueError, match="429"):
        poller.run()
    assert len(uploads) == 1
    assert ((tmp_path / "last").read_text() != before) is moved
    assert hasattr(LogsIngestionClient, "upload")


def _outcome(scenario: str, side: str, **changes: float) -> dict[str, Any]:
    told = {"expected": 1000, "lost": 0, "doubled": 0, "shown_twice": 0, "requests": 300, "uploads": 500}
    told |= {"failed_ticks": 0, "cpu_seconds": 5, "busiest_rows_per_second": 900, "peak_megabytes": 140}
    return {"scenario": scenario, "side": side, **told, "p95_delay_minutes": 1.9, **changes}


MEASURED = [
    {
        "name": "fold",
        "value": 90_000.0,
        "unit": "activities/s",
        "baseline": None,
        "ratio": None,
        "runs": 3,
        "count": 20_000,
        "targets": [
            {"direction": "at least", "limit": 100_000, "of": "value", "found": 90_000.0, "met": False},
            {"direction": "at most", "limit": 256.0, "of": "peak_megabytes", "found": 80.0, "met": True},
        ],
        "spread": [80_000.0, 95_000.0],
        "facts": {"peak_megabytes": 80.0},
        "method": "A | B.",
        "baseline_method": None,
    }
]


def page(**changes: float) -> str:
    outcomes = [_outcome("late", "ours"), _outcome("late", "before", lost=20), _outcome("late", "after", **changes)]
    clock = SimulatedClock(datetime(2026, 11, 25, 12, tzinfo=UTC))
    return report(MEASURED, {"scale": 1.0, "runs": 1, "outcomes": outcomes}, MACHINE, clock)


def test_the_report_says_when_where_and_what() -> None:
    """Date from the clock, machine without a name, every measurement with spread and target, every side's losses."""
    text = page(lost=20)
    assert "2026-11-25, on 2 cores (x86_64, Linux), CPython 3.11.7." in text
    targets = "at least 100,000: **missed**; peak megabytes at most 256: met"
    assert f"| `fold` | 90,000 | activities/s | 80,000 to 95,000 |  |  | {targets} | 3 |" in text
    assert "| `late` | 1,000 | 0 | 20 | 20 |" in text
    assert "Besides: peak megabytes 80." in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"peak_megabytes": 70}, "Peak memory in MB (baseline against ours): `late` 70 against 140."),
        ({"cpu_seconds": 2}, "CPU seconds for the whole script: `late` 2 against 5."),
        ({"requests": 200}, "Requests to the API: `late` 200 against 300."),
    ],
)
def test_the_report_says_where_the_baseline_is_better(changes: dict[str, float], told: str) -> None:
    """The baseline's advantages are derived from the numbers, and absent where it has none."""
    assert told in page(**changes)
    assert told.split(":")[0] not in page().split("## Where the baseline is better")[1].split("## Faults")[0]


def test_both_sides_faults_are_listed() -> None:
    """The baseline's come from its docstring, ours are listed with them, and the limits of the comparison follow."""
    text = page()
    assert text.count("\n1. **No overlap.**") == 1
    assert "7. **No health data.**" in text
    assert "A crash can duplicate more raw rows" in text
    assert "Not tested against Azure" in text


def test_without_numbers_there_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file is named with the command that writes it; nothing is written."""
    (tmp_path / "bench.json").write_text(json.dumps(MEASURED))
    written: Callable[[str], Path] = tmp_path.joinpath
    with pytest.raises(typer.Exit) as refused:
        main(written("bench.json"), written("compare.json"), written("REPORT.md"))
    assert refused.value.exit_code == 2
    assert "python -m bench.compare" in capsys.readouterr().out
    assert not written("REPORT.md").exists()
