"""Names, types and output columns of every query, as Microsoft's Kusto language service sees them (bind.cjs)."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentinel.tools.load import content
from sentinel.tools.load.problems import ROOT, ContentError, Problem
from shared.tables import Table

BIND = Path(__file__).with_name("bind.cjs")
CACHE = ROOT.parent / "build" / "kql"
LANGUAGE_SERVICE = ROOT.parent / "node_modules" / "@kusto" / "language-service-next"
TIME_LIMIT_SECONDS = 120
# What every Sentinel workspace has and no file of ours declares: `_GetWatchlist` returns the list's own columns, too,
# which nobody can know before; the functions around our watchlists name them.
_GIVEN = {
    "_GetWatchlist": (
        "alias:string",
        "datatable(SearchKey:string, _DTItemId:string, LastUpdatedTimeUTC:datetime)[] | where isnotempty(alias)",
    )
}
_KQL_TYPES = {"boolean": "bool"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a query: `kind` is Kusto's SyntaxKind; `name` and `symbol` are what a name means, "" when nothing."""

    kind: str
    start: int
    end: int
    name: str
    symbol: str
    children: tuple["Node", ...]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()

    def of_kind(self, *kinds: str) -> Iterator["Node"]:
        return (node for node in self.walk() if node.kind in kinds)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the language service says about a place of a query; line and column from 1."""

    severity: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A query with its complaints, its output columns (name -> Kusto type) and its syntax tree."""

    text: str
    complaints: tuple[Complaint, ...]
    columns: Mapping[str, str]
    tree: Node

    def part(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def line(self, node: Node) -> int:
        return self.text.count("\n", 0, node.start) + 1

    @property
    def tables(self) -> set[str]:
        """Tables the query itself names."""
        return {node.name for node in self.tree.walk() if node.symbol == "TableSymbol" and node.kind == "NameReference"}

    @property
    def functions(self) -> set[str]:
        """Functions the query itself calls, Kusto's own among them."""
        return {node.name for node in self.tree.walk() if node.symbol == "FunctionSymbol"}


def bind(queries: Mapping[str, str], *, keep: bool = False) -> dict[str, Bound]:
    """Bind `queries` (name -> text) against our tables, the neighbors' and all saved functions, in one process.

    With `keep` the answer is kept under build/kql by the text of all it depends on: all rules take ten seconds, and
    every build, check and worker of the tests asks for them.
    ContentError when node or the language service is missing, or fails.
    """
    question = {"tables": _tables(), "functions": _functions(), "queries": _named(queries)}
    answers = _kept(question) if keep else _asked(question)
    return {name: _bound(queries[name], answer) for name, answer in answers.items()}


def bind_parsers() -> list[Problem]:
    """What the language service says about the saved functions themselves."""
    texts = {parser.name: _as_query(parser) for parser in content.parsers().values()}
    found = bind(texts)
    return [
        Problem(content.parsers()[name].path, max(complaint.line - 1, 1), complaint.message)
        for name, bound in found.items()
        for complaint in bound.complaints
    ]


def _as_query(parser: content.Parser) -> str:
    # A function's parameters are a query's, declared: that way the body is bound where its lines can be named.
    return (f"declare query_parameters({parser.parameters});" if parser.parameters else "") + "\n" + parser.body


def _named(queries: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "text": text} for name, text in queries.items()]


def _tables() -> dict[str, dict[str, str]]:
    tables: Iterable[Table] = [*content.own_tables().values(), *content.neighbor_tables().values()]
    return {
        table.name: {column.name: _KQL_TYPES.get(column.type, column.type) for column in table.columns}
        for table in tables
    }


def _functions() -> list[dict[str, str]]:
    given = [{"name": name, "parameters": parameters, "body": body} for name, (parameters, body) in _GIVEN.items()]
    ours = [
        {"name": parser.name, "parameters": parser.parameters, "body": parser.body}
        for parser in content.parsers().values()
    ]
    return [*given, *ours]


def _kept(question: dict[str, Any]) -> dict[str, Any]:
    released = LANGUAGE_SERVICE / "package.json"
    if not released.is_file():
        return _asked(question)  # which says what is missing
    depends_on = json.dumps(question, sort_keys=True).encode(), BIND.read_bytes(), released.read_bytes()
    entry = CACHE / f"{hashlib.sha256(b'|'.join(depends_on)).hexdigest()[:32]}.json"
    if not entry.is_file():
        text = json.dumps(_asked(question))
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=CACHE, delete=False, encoding="utf-8") as draft:
            draft.write(text)
        Path(draft.name).replace(entry)
    answers: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    return answers


def _asked(question: dict[str, Any]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not LANGUAGE_SERVICE.is_dir():
        raise ContentError([Problem(BIND, 0, "needs node 20 and the language service: run make tools")])
    ran = subprocess.run(
        [node, str(BIND)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_SECONDS,
        check=False,
    )
    if ran.returncode:
        raise ContentError([Problem(BIND, 0, f"failed: {ran.stderr.strip()[-500:]}")])
    answers: dict[str, Any] = json.loads(ran.stdout)
    return answers


def _bound(text: str, answer: dict[str, Any]) -> Bound:
    complaints = tuple(Complaint(**said) for said in answer["diagnostics"])
    return Bound(text, complaints, dict(answer["columns"]), _node(answer["tree"]))


def _node(raw: list[Any]) -> Node:
    kind, start, end, name, symbol, children = raw
    return Node(kind, start, end, name or "", symbol or "", tuple(map(_node, children)))
