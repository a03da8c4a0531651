"""Finds words that `tools/words.toml` lists, in documents, content, templates and the text of Python files.

`python -m tools words` prints file, line, the word and what to write instead. Code is not read: in Markdown the code
spans and blocks, in Python everything but strings and comments. Tests are not read.
"""

import io
import re
import tokenize
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("words.toml")
SUFFIXES = frozenset({".md", ".py", ".yaml", ".yml", ".kql", ".bicep", ".bicepparam"})
NAMES = frozenset({"Makefile", "createUiDefinition.json"})
TABLES = Path("shared/tables")
SKIPPED = frozenset({"node_modules", "build", "tests", "__pycache__"})
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """A pattern, the matches it excuses, and the advice."""

    find: re.Pattern[str]
    unless: re.Pattern[str] | None
    instead: str


@dataclass(frozen=True)
class Found:
    """One match: `path` relative to the root, `line` from 1."""

    path: Path
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}: {self.word!r}: write {self.instead}"


def load(path: Path = LIST) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """The words, and the paths to exclude (a trailing slash means a folder)."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    words = [
        Word(_pattern(entry["find"]), _pattern(entry["unless"]) if "unless" in entry else None, entry["instead"])
        for entry in data["word"]
    ]
    return tuple(words), tuple(data.get("exclude", ()))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+"), re.IGNORECASE)


def search(root: Path = ROOT, list_file: Path = LIST) -> Iterator[Found]:
    """Every match below `root`, by path and line."""
    words, excluded = load(list_file)
    for path in _files(root, excluded):
        text = prose(path.name, path.read_text(encoding="utf-8"))
        for start, word, instead in sorted(_matches(text, words)):
            yield Found(path.relative_to(root), text.count("\n", 0, start) + 1, word, instead)


def _matches(text: str, words: Sequence[Word]) -> Iterator[tuple[int, str, str]]:
    for word in words:
        excused = [match.span() for match in word.unless.finditer(text)] if word.unless else []
        for match in word.find.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in excused):
                yield match.start(), " ".join(match[0].split()), word.instead


def prose(name: str, text: str) -> str:
    """`text` with everything that is not read replaced by spaces; line breaks stay."""
    if name.endswith(".md"):
        return CODE.sub(lambda match: _blank(match[0]), text)
    return _strings_and_comments(text) if name.endswith(".py") else text


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _strings_and_comments(source: str) -> str:
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    kept = list(_blank(source))
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            kept[start:end] = source[start:end]
    return "".join(kept)


def _files(root: Path, excluded: Sequence[str]) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        name = below.as_posix()
        if SKIPPED & set(below.parts) or any(part.startswith(".") and part != ".github" for part in below.parts):
            continue
        if any(name == each or (each.endswith("/") and name.startswith(each)) for each in excluded):
            continue
        if path.is_file() and (path.suffix in SUFFIXES or path.name in NAMES or _is_table(below)):
            yield path


def _is_table(below: Path) -> bool:
    return below.parent == TABLES and below.suffix == ".json"
