"""The report as one page of HTML that needs nothing else: no script, no font, no picture; made to be printed on A4."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from shared import __version__
from shared.models import Window
from shared.report.answers import Table, Value
from shared.report.coverage import Coverage

STYLE = Path(__file__).parent / "page.css"
LONG_WORD = 14
"""Letters that are not parted."""
MOST_SHOWN = 2_000
"""About a hundred pages; whoever needs more of one table takes the CSV."""
ONLY_IN_FILES = ("ActivityId", "RunId")
"""Long ids that would take the width of a page; the numbered row of the CSV holds them."""
ATTEND = frozenset({"not announced", "missing", "no proof", "not told", "run out", "drill_failed"})
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?Z")
_SPACES = re.compile(r"(\s+)")
_PIECE = re.compile(r"[^_/.,:=-]{1,14}[_/.,:=-]?|[_/.,:=-]")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Cover:
    """What the first page says of the report itself."""

    name: str
    period: Window
    created: datetime
    names: bool
    signed_with: str | None


def page(cover: Cover, tables: Sequence[Table], proof: Coverage, digests: Sequence[tuple[str, str]]) -> bytes:
    """The page. `digests` are name and SHA-256 of every other file of the report."""
    span = f"{cover.period.gte:%Y-%m-%d %H:%M} to {cover.period.lt:%Y-%m-%d %H:%M} UTC"
    style = STYLE.read_text(encoding="utf-8").replace("PERIOD", span)
    told = [table for table in tables if table.question.name != "hours"]
    sections = [_section(number, table) for number, table in enumerate(told, start=3)]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Claude compliance report {escape(cover.name)}</title>",
        f"<style>{style}</style></head><body>",
        f"<h1>Claude compliance report</h1><p class=lead>{escape(span)}</p>",
        _finding(proof, tables),
        _facts(cover, tables),
        "<h2>1&ensp;Summary</h2>",
        _summary(tables),
        _completeness(proof),
        *sections,
        _attestation(len(told) + 3),
        _appendix(tables, digests),
        "</body></html>\n",
    ]
    return "\n".join(parts).encode("utf-8", "backslashreplace")


def _finding(proof: Coverage, tables: Sequence[Table]) -> str:
    failed = [table.question.title for table in tables if table.failure]
    told = escape(proof.sentence)
    if failed:
        told += f" <strong>{len(failed)} of {len(tables)} questions could not be answered</strong>: they are marked."
    return f'<div class="finding{"" if proof.complete and not failed else " open"}">{told}</div>'


def _facts(cover: Cover, tables: Sequence[Table]) -> str:
    scope = next(table for table in tables if table.question.name == "scope")
    organizations = sorted({str(row["Organization"]) for row in scope.objects()} - {"none"})
    names = "People are named." if cover.names else "People are shown by their ids; addresses are withheld."
    facts = {
        "Organisations": ", ".join(organizations) or ("not known" if scope.failure else "none seen"),
        "Period": "By the time things happened, from the first moment up to and without the last; all times are UTC.",
        "Covered": "Activities that Anthropic's Compliance API lists for the organisations of the connected keys.",
        "Not covered": "Free, Pro, Max and Team accounts, and Claude reached through other clouds. What the feed does "
        "not list, this report cannot tell.",
        "Personal data": names,
        "Made": f"{cover.created:%Y-%m-%d %H:%M:%S} UTC by the bridge, release {__version__}; report {cover.name}.",
        "Seal": f"The manifest beside this page holds the digest of every file and is signed with {cover.signed_with}."
        if cover.signed_with
        else "The manifest beside this page holds the digest of every file; it is not signed.",
    }
    rows = (f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f"<table class=facts><tbody>{''.join(rows)}</tbody></table>"


def _summary(tables: Sequence[Table]) -> str:
    rows = []
    for table in tables:
        count = "failed" if table.failure else f"{len(table.rows):,}"
        rows.append(f"<tr><td>{escape(table.question.title)}</td><td class=number>{count}</td></tr>")
    return (
        "<table class=summary><thead><tr><th>What was asked</th><th class=number>Rows</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _completeness(proof: Coverage) -> str:
    about = (
        "An hour is proved when the ids that the feed showed and the ids in the workspace are the same set; “more” "
        "counts hours in which the workspace holds rows that were delivered twice over. Every hour stands in hours.csv."
    )
    parts = ["<h2>2&ensp;Completeness</h2>", f"<p class=about>{about}</p>"]
    if proof.failure is not None:
        return "\n".join([*parts, f"<div class=failed>Not answered: {escape(proof.failure)}</div>"])
    parts.append(f"<p>{escape(proof.sentence)}</p>")
    if proof.gaps:
        gaps = [(gap.connection, _moment(gap.start), _moment(gap.end), gap.verdict) for gap in proof.gaps]
        parts += ["<h3>Gaps</h3>", _grid(("Connection", "From", "To", "Verdict"), gaps)]
    days = [
        (day.connection, day.day, day.proved, day.asked, day.verdicts["surplus"], day.rows, day.aside)
        for day in proof.days
    ]
    heads = ("Connection", "Day", "HoursProved", "HoursAsked", "OfThemMore", "Rows", "SetAside")
    return "\n".join([*parts, "<h3>Day by day</h3>", _grid(heads, days)])


def _section(number: int, table: Table) -> str:
    question = table.question
    parts = [f"<h2>{number}&ensp;{escape(question.title)}</h2>", f"<p class=about>{escape(question.about)}</p>"]
    if table.failure is not None:
        parts.append(
            f"<div class=failed>This question was not answered, and nothing follows from its absence: "
            f"{escape(table.failure)}</div>"
        )
    elif not table.rows:
        parts.append(f"<p class=none>{escape(question.empty)}</p>")
    else:
        shown = [index for index, name in enumerate(table.columns) if name not in ONLY_IN_FILES]
        kept = [index for index in shown if any(row[index] not in (None, "") for row in table.rows)]
        rows = [(place, *(row[index] for index in kept)) for place, row in enumerate(table.rows[:MOST_SHOWN], start=1)]
        parts.append(_grid(("#", *(table.columns[index] for index in kept)), rows))
        if len(table.rows) > MOST_SHOWN:
            parts.append(
                f"<p class=none>The first {MOST_SHOWN:,} of {len(table.rows):,} rows; all of them stand in "
                f"{question.name}.csv.</p>"
            )
        if empty := [table.columns[index] for index in shown if index not in kept]:
            parts.append(f"<p class=none>Empty in every row, and left out here: {escape(', '.join(empty))}.</p>")
    return "\n".join(parts)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    numbers = [all(isinstance(row[index], int | float) for row in rows) for index in range(len(columns))]
    heads = "".join(
        f"<th scope=col{' class=number' if number else ''}>{escape(_CAPITAL.sub(' ', name))}</th>"
        for name, number in zip(columns, numbers, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table class=rows><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _cell(value: Value) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<td class=number>{value:,}</td>"
    text = str(value)
    if time := _TIME.fullmatch(text):
        return f"<td class=time>{time[1]} {time[2]}</td>"
    kind = " class=attend" if text in ATTEND else ""
    return f"<td{kind}>{_breakable(text)}</td>"


def _breakable(text: str) -> str:
    """Escaped, with places where a line may end in long ids and types: they neither widen a column nor are cut.

    A cell that cannot be broken would make the printer shrink every page.
    """
    words = (
        "<wbr>".join(map(escape, _PIECE.findall(word))) if len(word) > LONG_WORD else escape(word)
        for word in _SPACES.split(text)
    )
    return "".join(words)


def _attestation(number: int) -> str:
    rows = "".join(
        f"<tr><th scope=row>{who}</th><td></td><td></td><td></td></tr>" for who in ("Prepared by", "Reviewed by")
    )
    return (
        f"<section class=attestation><h2>{number}&ensp;Attestation</h2>"
        "<p>The undersigned have read the figures above for the stated period, have followed up the changes that were "
        "not announced and the gaps, and accept the exceptions in force. Deviations and remarks:</p>"
        "<table><tbody><tr><td></td></tr><tr><td></td></tr></tbody></table>"
        "<table><thead><tr><th class=who></th><th class=name>Name and role</th><th>Date</th><th>Signature</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></section>"
    )


def _appendix(tables: Sequence[Table], digests: Sequence[tuple[str, str]]) -> str:
    files = "".join(f"<tr><td>{escape(name)}</td><td class=digest>{digest}</td></tr>" for name, digest in digests)
    queries = "\n".join(f"<h3>{escape(t.question.title)}</h3><pre>{escape(t.asked)}</pre>" for t in tables)
    return (
        "<section class=appendix><h2>Appendix A&ensp;Files</h2>"
        "<p class=about>The rows of every table, with the SHA-256 of each file; manifest.json holds the same digests "
        "and that of this page. <code>python -m shared.cli report verify</code> checks them.</p>"
        f"<table><thead><tr><th>File</th><th>SHA-256</th></tr></thead><tbody>{files}</tbody></table>"
        "<h2>Appendix B&ensp;Questions</h2>"
        f"<p class=about>Each table as it was asked for, in KQL.</p>\n{queries}</section>"
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
