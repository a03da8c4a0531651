"""The saved functions of `sentinel/parsers/`, read from their files so that the sandbox runs what is deployed."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from duckdb_kql.stored_functions import ResolvedFunctions, parse_functions

NO_WATCHLISTS = "function _GetWatchlist(alias:string) { datatable(SearchKey:string)[] | where SearchKey == alias }"
"""Sentinel's built-in `_GetWatchlist`, for a workspace without watchlists: no parser file declares it."""

FOLDER = Path(__file__).resolve().parents[1] / "sentinel" / "parsers"

_PARAMETERS = re.compile(r"^//\s*parameters:\s*(\(.*\))\s*$", re.MULTILINE)


def definition(path: Path) -> str:
    """One file as Kusto's own `function Name(parameters) { body }`.

    The name is the file's stem. A comment line `// parameters: (who:string, from:datetime)` declares parameters,
    including defaults. The body is the whole file, including comments.
    """
    text = path.read_text(encoding="utf-8")
    declared = _PARAMETERS.search(text)
    return f"function {path.stem}{declared[1] if declared else '()'} {{\n{text.strip()}\n}}"


def load(folder: Path, given: Sequence[str] = ()) -> ResolvedFunctions:
    """Every `*.kql` file of `folder` (none if it does not exist), and the definitions `given`, which take precedence.

    ValueError names a file that is not KQL.
    """
    functions: ResolvedFunctions = {None: {}}
    for path in sorted(folder.glob("*.kql")) if folder.is_dir() else []:
        try:
            functions[None].update(_parsed(definition(path))[None])
        except Exception as exc:
            raise ValueError(f"{path.name}: {exc}") from exc
    for text in given:
        functions[None].update(_parsed(text)[None])
    return functions


@lru_cache(maxsize=512)
def _parsed(text: str) -> ResolvedFunctions:
    """One definition, parsed once per process: all parsers take a second together, and tests open many workspaces."""
    return parse_functions([text]) or {None: {}}
