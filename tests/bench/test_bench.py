"""Every measurement runs at a small size in its own process and writes its fields. Times are not asserted."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from bench.measurements import MEASUREMENTS, Measurement, Target
from bench.reading import Reading
from bench.run import Readings, app, entry, verdicts
from bench.sample import SIZE_BYTES, bodies, entries
from shared.streams.activity.endpoint import read_page

PROMISED = {"name", "value", "unit", "baseline", "ratio", "runs", "method", "spread"}
ROOT = Path(__file__).parents[2]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda measurement: measurement.name)
def test_each_measurement_writes_what_it_promised(measurement: Measurement, tmp_path: Path) -> None:
    """A run with tiny sizes writes every promised field, and a baseline wherever one is described."""
    out = tmp_path / "bench.json"
    arguments = ["--only", measurement.name, "--runs", "1", "--scale", "0.001", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    (written,) = json.loads(out.read_text())
    assert written.keys() >= PROMISED
    assert written["runs"] == 1
    assert written["value"] > 0
    assert (written["baseline"] is not None) == (measurement.baseline is not None)
    if written["baseline"] is not None:
        assert written["ratio"] == pytest.approx(written["value"] / written["baseline"])


def test_the_ratio_is_taken_pair_by_pair() -> None:
    """When the machine halves its speed between two runs, the ratio does not change."""
    readings = Readings([Reading(300.0), Reading(150.0), Reading(30.0)], [Reading(100.0), Reading(50.0), Reading(10.0)])
    written = entry(MEASUREMENTS[0], readings, 1)
    assert written["ratio"] == pytest.approx(3.0)
    assert (written["value"], written["baseline"], written["spread"]) == (150.0, 50.0, [30.0, 300.0])


@pytest.mark.parametrize(("direction", "told"), [("at least", ["missed", "met"]), ("at most", ["met", "missed"])])
@pytest.mark.parametrize("of", ["value", "peak_megabytes"])
def test_a_missed_target_is_said(direction: Literal["at least", "at most"], told: list[str], of: str) -> None:
    """Of a value and of a fact: under and over its target it is met or missed, as the direction says."""
    measurement = replace(MEASUREMENTS[0], targets=(Target(direction, 100, of=of),))
    entries = [entry(measurement, Readings([Reading(found, {"peak_megabytes": found})]), 1) for found in (90.0, 110.0)]
    assert [sentence.rsplit(" ", 1)[1] for sentence in verdicts(entries)] == told


def test_what_has_no_target_is_met_by_silence() -> None:
    """A measurement without a target has no sentence."""
    assert verdicts([entry(replace(MEASUREMENTS[0], targets=()), Readings([Reading(1.0)]), 1)]) == []


def test_the_agreed_targets_stand() -> None:
    """The project's targets for speed, memory, requests and cold start."""
    agreed = {(m.name, t.of, t.direction, t.limit) for m in MEASUREMENTS for t in m.targets}
    assert agreed == {
        ("decode_to_gzip", "value", "at least", 60_000),
        ("million", "peak_megabytes", "at most", 256),
        ("million", "requests", "at most", 220),
        ("cold_import", "value", "at most", 0.45),
        ("detections", "value", "at most", 60),
        ("detections", "bind_seconds", "at most", 30),
        ("workbook_tabs", "value", "at most", 3.0),
    }


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    """`--only` with an unknown name measures nothing and exits 2."""
    result = CliRunner().invoke(app, ["--only", "nonsense"])
    assert result.exit_code == 2
    assert "decode_to_gzip" in result.output


def test_the_sample_is_seeded_whole_and_of_the_agreed_size() -> None:
    """Two samples are the same bytes, pages have the requested size, and an activity has a kilobyte on average."""
    sample = list(entries(500))
    assert [entry.body for entry in sample] == [entry.body for entry in entries(500)]
    mean = sum(len(entry.body) for entry in sample) / len(sample)
    assert mean == pytest.approx(SIZE_BYTES, rel=0.02)
    assert [len(read_page(body).data) for body in bodies(2, page_size=250)] == [250, 250]


def test_the_method_stands_in_the_readme_too() -> None:
    """Every measurement is described in bench/README.md, and its module exists with the sides it names."""
    readme = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    for measurement in MEASUREMENTS:
        assert f"`{measurement.name}`" in readme
        module = import_module(f"bench.{measurement.module}")
        assert hasattr(module, "ours")
        assert hasattr(module, "baseline") == (measurement.baseline is not None)
