"""What is made from the content files and committed: data for the templates.

Each list of resources lies in a fixed number of files, because a template loads files by name and a file holds at most
131,072 characters; a resource's name says which of them it is in, so that a new one moves no other.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentinel.tools.compile import automation
from sentinel.tools.compile import bodies as compiled
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Hunt, Rule
from sentinel.tools.load.problems import ROOT, ContentError, Problem

GENERATED = ROOT.parent / "infra" / "bicep" / "generated"
# loadTextContent: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-files
FILE_LIMIT_CHARACTERS = 131_072
# Half of what one template takes, 4 MB and 800 resources: tables, app and workbooks share it.
# https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices
TEMPLATE_LIMIT_BYTES, RESOURCE_LIMIT = 2_000_000, 700
FILES = {"rules": 8, "hunts": 4, "parsers": 4, "automation": 4, "watchlists": 1, "summaries": 1}
Bodies = list[dict[str, Any]]


def bodies(files: Sequence[File[Any]]) -> dict[str, Bodies]:
    """Kind of resource -> bodies, in the order of their names."""
    rules: list[File[Rule]] = [file for file in files if isinstance(file.value, Rule)]
    hunts: list[File[Hunt]] = [file for file in files if isinstance(file.value, Hunt)]
    made = {
        "rules": [compiled.rule(file) for file in rules],
        "hunts": [compiled.hunt(file) for file in hunts],
        "parsers": [compiled.parser(parser) for parser in content.parsers().values()],
        "automation": [rule for rule in map(automation.automation_rule, rules) if rule],
        "watchlists": [compiled.watchlist(file) for file in content.watchlists().values()],
        "summaries": [compiled.summary(file) for file in content.summaries().values()],
    }
    return {kind: sorted(items, key=lambda body: str(body["name"])) for kind, items in made.items()}


def made(files: Sequence[File[Any]]) -> dict[Path, str]:
    """Each built file and its text. ContentError when Azure would not take it."""
    texts = {path: text for kind, items in bodies(files).items() for path, text in _shared_out(kind, items)}
    if found := list(_too_much(texts)) + [
        problem for file in files if isinstance(file.value, Rule) for problem in automation.problems(file)
    ]:
        raise ContentError(found)
    return texts


def _shared_out(kind: str, items: Bodies) -> Iterator[tuple[Path, str]]:
    count = FILES[kind]
    for number in range(count):
        part = [body for body in items if _share(str(body["name"]), count) == number]
        path = GENERATED / (f"{kind}.{number + 1}.json" if count > 1 else f"{kind}.json")
        yield path, json.dumps(part, indent=1, ensure_ascii=True) + "\n"


def _share(name: str, count: int) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % count


def _too_much(texts: Mapping[Path, str]) -> Iterator[Problem]:
    for path, text in texts.items():
        if len(text) > FILE_LIMIT_CHARACTERS:
            yield Problem(
                path, 0, f"{len(text)} characters; a template loads {FILE_LIMIT_CHARACTERS}: raise build.FILES"
            )
    size = sum(map(len, texts.values()))
    if size > TEMPLATE_LIMIT_BYTES:
        yield Problem(GENERATED, 0, f"{size} bytes; a template can have {TEMPLATE_LIMIT_BYTES}")
    count = sum(len(json.loads(text)) for text in texts.values())
    if count > RESOURCE_LIMIT:
        yield Problem(GENERATED, 0, f"{count} resources; a template can have {RESOURCE_LIMIT}")


def stale(texts: Mapping[Path, str]) -> list[Problem]:
    """The committed files that differ from `texts`, are missing, or should not be there."""
    found = [
        Problem(path, 0, "differs from what sentinel/ says: run make build")
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    return found + [Problem(path, 0, "nothing in sentinel/ makes this file any more") for path in _strangers(texts)]


def write(texts: Mapping[Path, str]) -> None:
    """Write what differs and remove what is no longer made."""
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in _strangers(texts):
        path.unlink()


def _strangers(texts: Iterable[Path]) -> list[Path]:
    """Files of a former build. Workbooks have a build of their own (sentinel/workbooks)."""
    return sorted({path for kind in FILES for path in GENERATED.glob(f"{kind}*.json")} - set(texts))


def tunables(files: Iterable[File[Any]]) -> dict[str, dict[str, Any]]:
    """Slug of each rule -> what a tuning file may change."""
    return {file.slug: compiled.rule(file)["tune"] for file in files if isinstance(file.value, Rule)}
