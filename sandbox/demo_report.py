"""The demo's report: for eyes as tables, for machines as JSON; every figure an answer of the workspace or a count."""

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
    """Print the questions with their answers, the storylines, and the verdict."""
    _print_questions(console, workspace, [question.title for question in DEMO_QUERIES])
    console.print(Rule("Storylines hidden in the tenant", align="left", style="cyan"))
    console.print(_storylines(report))
    _print_verdict(console, report)


def print_part(console: Console, workspace: LocalWorkspace, report: DemoReport, titles: Sequence[str]) -> None:
    """Print some of the questions, and the verdict: the README's picture."""
    _print_questions(console, workspace, titles)
    _print_verdict(console, report)


def _print_questions(console: Console, workspace: LocalWorkspace, titles: Sequence[str]) -> None:
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
    table = Table("storyline", "what happened", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("activities", justify="right")
    table.add_column("in the workspace", justify="right")
    for found in report.found:
        story = found.storyline
        table.add_row(story.name, story.title, str(len(story.activity_ids)), str(found.rows))
    return table


def _verdict(report: DemoReport) -> list[str]:
    outcome = report.outcome
    if outcome is None:
        return ["[red]no outcome: the demo did not reach its end[/]"]
    weather = sum(report.api_faults.values()) + sum(report.sink_faults.values())
    lines = [
        f"{weather:,} faults were met on the way: {_words(report.api_faults)} at the API; "
        f"{_words(report.sink_faults)} at the ingestion endpoint.",
        f"{report.late:,} activities were indexed late and found by a sweep; {report.repeated:,} were read again and "
        f"not sent again; {outcome.copies:,} rows arrived twice and ClaudeActivity shows them once; "
        f"{report.replayed:,} dead letters were replayed. {_selftest(report)}",
        f"Of {outcome.expected:,} activities created before {outcome.until:%Y-%m-%d %H:%M} UTC, "
        f"{outcome.in_workspace:,} are in the workspace and {outcome.dead_letters:,} are dead letters.",
    ]
    if outcome.complete:
        lines.append("[bold green]Nothing is missing.[/]")
    else:
        lines.append(f"[bold red]{len(outcome.missing):,} are missing[/], the first: {', '.join(outcome.missing[:5])}")
    return lines


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(counts.items())) or "none"


def _selftest(report: DemoReport) -> str:
    """What the rehearsal came to."""
    if not report.selftest["arrived"]:
        return f"[bold red]The self-test failed: {report.selftest['remedy']}[/]"
    seconds = report.selftest["steps"][-1]["after_seconds"]
    return f"The self-test's marked request came back as a row after {seconds:,.0f} s."


def as_json(workspace: LocalWorkspace, report: DemoReport) -> dict[str, Any]:
    """The same for machines; `complete` is the verdict."""
    outcome = report.outcome
    assert outcome is not None and outcome.until is not None
    answers = {}
    for question in DEMO_QUERIES:
        out = StringIO()
        print_answer(workspace.query(question.kql), "json", out)
        answers[question.title] = out.getvalue()
    return {
        "complete": outcome.complete,
        "until": outcome.until.isoformat(),
        "people": report.people,
        "expected": outcome.expected,
        "in_workspace": outcome.in_workspace,
        "dead_letters": outcome.dead_letters,
        "missing": list(outcome.missing[:1000]),
        "copies": outcome.copies,
        "late": report.late,
        "repeated": report.repeated,
        "replayed": report.replayed,
        "selftest": report.selftest,
        "faults": {"api": report.api_faults, "ingestion": report.sink_faults},
        "run_states": report.states,
        "storylines": {f.storyline.name: [f.rows, len(f.storyline.activity_ids)] for f in report.found},
        "answers": answers,
    }
