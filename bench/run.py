"""Runs the measurements, writes build/bench.json and prints a table: `python -m bench.run --help`."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.measurements import MEASUREMENTS, Measurement, Target
from bench.reading import Reading

ROOT = Path(__file__).parents[1]
NAMES = tuple(measurement.name for measurement in MEASUREMENTS)
SIDES = ("ours", "baseline")

console = Console()
progress = Console(stderr=True)


@dataclass(slots=True)
class Readings:
    """The readings of one measurement, a pair for each run (`baseline` is empty if there is none)."""

    ours: list[Reading] = field(default_factory=list)
    baseline: list[Reading] = field(default_factory=list)


def measured(measurement: Measurement, runs: int, count: int, report: Callable[[str], None]) -> Readings:
    """`runs` readings of each side, alternating: a machine that slows down affects both, and the ratio is stable."""
    readings = Readings()
    for run in range(runs):
        sides = SIDES if run % 2 == 0 else SIDES[::-1]
        for side in sides:
            if side == "baseline" and measurement.baseline is None:
                continue
            reading = _in_a_child(measurement, side, count)
            report(f"{measurement.name} {run + 1}/{runs} {side}: {reading.value:,.4g} {measurement.unit}")
            (readings.ours if side == "ours" else readings.baseline).append(reading)
    return readings


def entry(measurement: Measurement, readings: Readings, count: int) -> dict[str, Any]:
    """One object of build/bench.json: medians; `ratio` is the median of value / baseline over the pairs of runs."""
    values, facts = [reading.value for reading in readings.ours], _facts(readings.ours)
    medians = {"value": statistics.median(values), **facts}
    others = [reading.value for reading in readings.baseline]
    ratios = [value / other for value, other in zip(values, others, strict=False)]
    return {
        "name": measurement.name,
        "value": medians["value"],
        "unit": measurement.unit,
        "baseline": statistics.median(others) if others else None,
        "ratio": statistics.median(ratios) if ratios else None,
        "runs": len(values),
        "count": count,
        "spread": [min(values), max(values)],
        "baseline_spread": [min(others), max(others)] if others else None,
        "targets": [
            {**asdict(target), "found": medians[target.of], "met": _is_met(target, medians[target.of])}
            for target in measurement.targets
        ],
        "facts": facts,
        "baseline_facts": _facts(readings.baseline),
        "method": measurement.method,
        "baseline_method": measurement.baseline,
    }


def _is_met(target: Target, found: float) -> bool:
    return found >= target.limit if target.direction == "at least" else found <= target.limit


def _facts(readings: Sequence[Reading]) -> dict[str, float]:
    names = readings[0].facts if readings else {}
    return {name: statistics.median(reading.facts[name] for reading in readings) for name in names}


def _in_a_child(measurement: Measurement, side: str, count: int) -> Reading:
    command = [sys.executable, "-m", "bench.child", measurement.module, side, str(count)]
    # In its own session, so that Ctrl-C reaches only `run`, which stops the child, instead of printing two tracebacks.
    child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, start_new_session=True)
    return Reading(**json.loads(child.stdout.splitlines()[-1]))


def table_of(entries: Sequence[dict[str, Any]]) -> Table:
    """The numbers as a table; the spread in percent of the median."""
    table = Table(box=None, pad_edge=False)
    for heading in ("measurement", "value", "unit", "spread", "baseline", "ratio"):
        table.add_column(heading, no_wrap=True, justify="left" if heading in ("measurement", "unit") else "right")
    for each in entries:
        low, high = each["spread"]
        table.add_row(
            each["name"],
            _number(each["value"]),
            each["unit"],
            f"-{100 - 100 * low / each['value']:.0f} % +{100 * high / each['value'] - 100:.0f} %",
            _number(each["baseline"]),
            "" if each["ratio"] is None else f"{each['ratio']:.2f}",
        )
    return table


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"


def verdicts(entries: Sequence[dict[str, Any]]) -> list[str]:
    """One sentence per target."""
    return [
        f"{each['name']}: {target['direction']} {_number(target['limit'])} {_unit(each, target)} were agreed on, "
        f"{_number(target['found'])} found: " + ("met" if target["met"] else "missed")
        for each in entries
        for target in each["targets"]
    ]


def _unit(measured: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """The unit of a target: the measurement's, or the fact's name, which includes its unit."""
    return str(measured["unit"] if target["of"] == "value" else target["of"].replace("_", " "))


def main(
    runs: Annotated[int, typer.Option(min=1, help="Readings of each side of each measurement.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help=f"Only this one, repeatable: {', '.join(NAMES)}.")] = None,
    scale: Annotated[float, typer.Option(min=0.001, help="Scale of the full size, for a quick check.")] = 1.0,
    out: Annotated[Path, typer.Option(help="Output file.")] = Path("build/bench.json"),
) -> None:
    """Measure the bridge and its baselines; bench/README.md explains each number."""
    chosen = [measurement for measurement in MEASUREMENTS if only is None or measurement.name in only]
    if unknown := set(only or ()) - set(NAMES):
        progress.print(f"unknown measurement {', '.join(sorted(unknown))}; choose from: {', '.join(NAMES)}")
        raise typer.Exit(2)
    entries: list[dict[str, Any]] = []
    try:
        for measurement in chosen:
            count = max(1, round(measurement.count * scale))
            readings = measured(measurement, runs, count, lambda line: progress.print(line, highlight=False))
            entries.append(entry(measurement, readings, count))
    except KeyboardInterrupt:
        progress.print("stopped; nothing was written")
        raise typer.Exit(130) from None
    except subprocess.CalledProcessError as failed:
        progress.print(f"a measurement failed, see above: {' '.join(map(str, failed.cmd[1:]))}; nothing was written")
        raise typer.Exit(1) from None
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    console.print(table_of(entries))
    for sentence in verdicts(entries):
        console.print(sentence, highlight=False)
    console.print(f"written: {out}", highlight=False)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command(
    epilog="Examples: python -m bench.run | python -m bench.run --only decode_to_gzip --runs 9 | "
    "python -m bench.run --runs 1 --scale 0.05"
)(main)


if __name__ == "__main__":
    app()
