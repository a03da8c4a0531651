"""The demo's report, as tables or as JSON; every figure is a query result from the workspace or a count."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from kql import LocalWorkspace
from kql.show import print_answer
from sandbox.demo import DemoReport
from sandbox.demo_queries import DEMO_QUERIES


def print_report(console: Console, workspace: LocalWorkspace, report: DemoReport) -> None:
    """Print the demo queries with their results, the storylines, and the verdict."""
    _print_queries(console, workspace, [question.title for question in DEMO_QUERIES])
    console.print(Rule("Simulated incidents", align="left", style="cyan"))
    console.print(_storylines(report))
    _print_verdict(console, report)


def print_part(console: Console, workspace: LocalWorkspace, report: DemoReport, titles: Sequence[str]) -> None:
    """Print some of the queries, and the verdict, for the picture in the README."""
    _print_queries(console, workspace, titles)
    _print_verdict(console, report)


def _print_queries(console: Console, workspace: LocalWorkspace, titles: Sequence[str]) -> None:
    for question in DEMO_QUERIES:
        if question.title in titles:
            console.print(Rule(question.title, align="left", style="cyan"))
            out = StringIO()
            print_answer(workspace.query(question.kql), "table", out)
            console.print(Text(out.getvalue().rstrip("\n")), soft_wrap=True)


def _print_verdict(console: Console, report: DemoReport) -> None:
    console.print(Rule("Verdict", align="left", style="cyan"))
    for line in _verdict(report):
        console.print(line, highlight=False)


def _storylines(report: DemoReport) -> Table:
    table = Table("incident", "what happened", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("activities", justify="right")
    table.add_column("in the workspace", justify="right")
    for found in report.found:
        story = found.storyline
        table.add_row(story.name, story.title, str(len(story.activity_ids)), str(found.rows))
    return table


def _verdict(report: DemoReport) -> list[str]:
    check = report.completeness
    if check is None:
        return ["[red]no verdict: the demo did not finish[/]"]
    faults = sum(report.api_faults.values()) + sum(report.sink_faults.values())
    lines = [
        f"{faults:,} injected faults. API: {_counts(report.api_faults)}. "
        f"Ingestion endpoint: {_counts(report.sink_faults)}.",
        f"Late activities found by a sweep: {report.late:,}. Read again and not sent again: {report.repeated:,}. "
        f"Duplicate rows, removed by the ClaudeActivity parser: {check.copies:,}. "
        f"Dead letters replayed: {report.replayed:,}.",
        _selftest(report),
        f"Of {check.expected:,} activities created before {check.until:%Y-%m-%d %H:%M} UTC, "
        f"{check.in_workspace:,} are in the workspace and {check.dead_letters:,} are dead letters.",
    ]
    if check.complete:
        lines.append("[bold green]Nothing is missing.[/]")
    else:
        lines.append(f"[bold red]{len(check.missing):,} are missing[/], first: {', '.join(check.missing[:5])}")
    return lines


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())) or "none"


def _selftest(report: DemoReport) -> str:
    """The result of the self-test."""
    if not report.selftest["arrived"]:
        return f"[bold red]The self-test failed: {report.selftest['remedy']}[/]"
    seconds = report.selftest["steps"][-1]["after_seconds"]
    return f"Self-test passed: the tagged request arrived as a row after {seconds:,.0f} s."


def as_json(workspace: LocalWorkspace, report: DemoReport) -> dict[str, Any]:
    """The same as JSON; `complete` is the verdict."""
    check = report.completeness
    assert check is not None and check.until is not None
    answers = {}
    for question in DEMO_QUERIES:
        out = StringIO()
        print_answer(workspace.query(question.kql), "json", out)
        answers[question.title] = out.getvalue()
    return {
        "complete": check.complete,
        "until": check.until.isoformat(),
        "people": report.people,
        "expected": check.expected,
        "in_workspace": check.in_workspace,
        "dead_letters": check.dead_letters,
        "missing": list(check.missing[:1000]),
        "copies": check.copies,
        "late": report.late,
        "repeated": report.repeated,
        "replayed": report.replayed,
        "selftest": report.selftest,
        "faults": {"api": report.api_faults, "ingestion": report.sink_faults},
        "run_states": report.states,
        "storylines": {f.storyline.name: [f.rows, len(f.storyline.activity_ids)] for f in report.found},
        "answers": answers,
    }
