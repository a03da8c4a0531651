"""YAML with line numbers, and without YAML's surprises: no dates, no octals, no yes/no/on/off as booleans."""

import re
from pathlib import Path
from typing import Any

import yaml

from sentinel.tools.load.problems import ContentError, Problem

Position = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Plain scalars are null, true/false, decimal numbers or text; nothing else is guessed."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (the library's own shape)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def read(path: Path) -> tuple[Any, dict[Position, int]]:
    """The document in `path` and the line (from 1) on which each place in it starts.

    A place is the keys and indexes that lead to a value; a key's line is where the key stands.
    Raises ContentError for what is not YAML, and for a key written twice, which YAML would silently let win.
    """
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        if node is None:
            raise ContentError([Problem(path, 1, "the file is empty")])
        lines: dict[Position, int] = {}
        _walk(node, (), lines, path)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise ContentError([Problem(path, line, f"this is not YAML: {exc.problem or exc}")]) from exc
    finally:
        loader.dispose()


def value(text: str) -> Any:
    """One value as content files write it. yaml.YAMLError when it is not YAML."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _walk(node: yaml.Node, position: Position, lines: dict[Position, int], path: Path) -> None:
    # A block's text starts on the line after its `|`, which is what a reader of "line 3 of the query" needs.
    lines[position] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ContentError([Problem(path, key.start_mark.line + 1, f"{key.value} is written twice")])
            seen.add(key.value)
            _walk(value, (*position, key.value), lines, path)
            lines[(*position, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*position, index), lines, path)
