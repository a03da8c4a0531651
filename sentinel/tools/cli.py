"""Check, test, build and lock the content: rules, hunts, parsers, workbooks."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from sentinel.tools.backtest.command import backtest
from sentinel.tools.check import bind, checks, lock
from sentinel.tools.compile import build as builder
from sentinel.tools.compile import solution, tuning
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.problems import ROOT, ContentError, Problem
from sentinel.tools.load.yaml_lines import value
from sentinel.tools.prove.cases import rows
from sentinel.tools.prove.verdict import Verdict, bound_queries, judge
from sentinel.tools.workbook import build as workbooks

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
TUNING = ROOT.parent / "infra" / "bicep" / "tuning.json"
console = Console(soft_wrap=True, highlight=False)
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 naming each file that differs.")]
Only = Annotated[list[str] | None, typer.Option(help="Slug of a rule or hunt; may be given several times.")]

app.command(epilog="Example: python -m tools content backtest --from 2026-10-05 --to 2026-11-04 --local my.duckdb")(
    backtest
)


@app.command(epilog="Example: python -m tools content check --only claude-sso-disabled")
def check(only: Only = None) -> None:
    """Read and bind: schema, names, types, columns, versions. Nothing is executed."""
    files = _files(only)
    bound = bound_queries(files)
    found = [problem for file in files for problem in checks.problems(file, bound[file.slug])]
    if not only:
        found += [*bind.bind_parsers(), *checks.across(files), *lock.problems(files, lock.read())]
    _end(found, f"{len(files)} rules and hunts, {len(content.parsers())} functions: nothing to complain about")


@app.command(epilog="Example: python -m tools content test --only claude-sso-disabled")
def test(only: Only = None) -> None:
    """Check, bind, execute every test and law, and kill the mutants; one line per rule or hunt."""
    files = _files(only)
    bound = bound_queries(files)
    verdicts = []
    for file in files:
        verdicts.append(judge(file, bound[file.slug]))
        for problem in verdicts[-1].problems:
            console.print(str(problem), markup=False, style="red")
    console.print(_table(verdicts))
    _end([problem for verdict in verdicts for problem in verdict.problems], summary(verdicts), said=True)


@app.command(epilog="Example: python -m tools content build --check")
def build(check: Check = False) -> None:
    """Make infra/bicep/generated/*.json from the content files."""
    files = _files(None)
    try:
        texts = builder.made(files)
        tuning.check(TUNING, builder.tunables(files))
    except ContentError as exc:
        _end(list(exc.problems), "")
        raise
    if check:
        _end(builder.stale(texts), f"{len(texts)} built files are as the content says")
        return
    builder.write(texts)
    console.print(f"{len(texts)} files built", style="green")


@app.command("solution", epilog="Example: python -m tools content solution --out build/solution")
def solution_(
    out: Annotated[Path, typer.Option(help="An empty folder, or one that is made.")] = Path("build/solution"),
) -> None:
    """Write rules, hunts, parsers and watchlists in the layout of the Azure-Sentinel repository."""
    if out.is_dir() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty", param_hint="--out")
    files = _files(None)
    texts = dict(solution.texts(files, bound_queries(files)))
    for name, text in texts.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
    console.print(f"{len(texts)} files written to {out}", style="green", markup=False)


@app.command(epilog="Example: python -m tools content workbook --check")
def workbook(check: Check = False) -> None:
    """Make sentinel/workbooks/built/ and infra/bicep/generated/workbooks.json from the workbook's tiles."""
    if check:
        stale = [
            Problem(path, 0, "differs from what sentinel/workbooks says: run make build") for path in workbooks.stale()
        ]
        _end(stale, "the built workbooks are as their source says")
        return
    console.print(f"{len(workbooks.write())} workbook files written", style="green")


@app.command("tuning", epilog="Example: python -m tools content tuning infra/bicep/tuning.json")
def tuning_(file: Annotated[Path, typer.Argument(help="The tuning file to check.")] = TUNING) -> None:
    """Check a tuning file against the rules there are: names, thresholds, values."""
    try:
        tuning.check(file, builder.tunables(_files(None)))
    except ContentError as exc:
        _end(list(exc.problems), "")
    console.print(f"{file.name} fits the rules", style="green")


@app.command(epilog="Example: python -m tools content row '{type: org_sso_toggled, actor: admin, enabled: false}'")
def row(activity: Annotated[str, typer.Argument(help="One activity, written as in `tests:`.")]) -> None:
    """Show the row that an activity becomes: which field is in which column."""
    try:
        for shown in rows(value(activity)):
            console.print_json(data=shown)
    except (ValueError, AttributeError, yaml.YAMLError) as exc:
        console.print(f"not an activity: {exc}", markup=False, style="red")
        raise typer.Exit(1) from exc


@app.command("lock", epilog="Example: python -m tools content lock")
def lock_() -> None:
    """At a release: note the version of every rule and hunt in versions.lock.json."""
    try:
        count = lock.write(_files(None))
    except ContentError as exc:
        _end(list(exc.problems), "")
    console.print(f"{count} versions noted in {lock.PATH.name}")


def summary(verdicts: list[Verdict]) -> str:
    """The counts in one line."""
    executed = sum(verdict.executed for verdict in verdicts)
    return (
        f"{len(verdicts)} bound, {executed} executed ({sum(verdict.tests for verdict in verdicts)} tests and laws), "
        f"{sum(verdict.mutants for verdict in verdicts)} mutants killed or excused"
    )


def _files(only: list[str] | None) -> list[File[Any]]:
    try:
        if not only:
            return list(content.all_detections())
        paths = {path.stem: path for path in [*content.rule_paths(), *content.hunt_paths()]}
        if unknown := set(only) - paths.keys():
            raise ContentError([Problem(Path(name), 0, "there is no such rule or hunt") for name in unknown])
        return [content.detection(paths[slug]) for slug in only]
    except ContentError as exc:
        _end(list(exc.problems), "")
        raise


def _table(verdicts: list[Verdict]) -> Table:
    table = Table("rule or hunt", "proved", "tests and laws", "mutants", box=None)
    for verdict in verdicts:
        proved = "NO" if verdict.problems else "executed" if verdict.executed else "bound, not executed"
        table.add_row(verdict.slug, proved, str(verdict.tests), str(verdict.mutants))
    return table


def _end(found: list[Problem], well: str, *, said: bool = False) -> None:
    """Print and leave with 1 when there are problems, else say that all is well."""
    if not found:
        console.print(well, style="green")
        return
    for problem in [] if said else sorted(set(found)):
        console.print(str(problem), markup=False, style="red")
    console.print(f"{len(set(found))} problem(s)", style="red")
    raise typer.Exit(1)
