"""Values that are JSON to somebody but not to the table: they become text, and their places are noted.

Integers beyond signed 64 bit and numbers that are not finite become their decimal text; half a surrogate pair, and a
byte that is not UTF-8, its escape as text (`\\ud800`); whatever lies deeper than DEPTH_LIMIT levels its own JSON text.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_STACK = 400  # more than DEPTH_LIMIT, less than the json module's own recursion can bear
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
DEPTH_LIMIT = 240  # the encoder writes 254 levels, and a row has a few of its own; the interpreter walks about 1,000
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


class Odd(str):
    """Text put in the place of an odd value by a decoder; `sanitize` notes where it met one."""

    __slots__ = ()


def odd_int(digits: str) -> int | Odd:
    """A `parse_int` for the json module: integers a `long` cannot hold stay text."""
    if len(digits) > 20:
        return Odd(digits)
    value = int(digits)
    return value if LONG_MIN <= value <= LONG_MAX else Odd(digits)


def odd_float(digits: str) -> float | Odd:
    """A `parse_float` for the json module: what overflows stays text."""
    value = float(digits)
    return value if math.isfinite(value) else Odd(digits)


def decode_odd(body: bytes) -> Any:
    """The JSON value of `body` with each odd value as an `Odd`, and what is nested too deep as its own text.

    For `sanitize`. Raises ValueError when the JSON is cut or broken.
    """
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        return _loads(text)
    except RecursionError:
        return _loads(_flattened(text))


def _loads(text: str) -> Any:
    return json.loads(text, strict=False, parse_int=odd_int, parse_float=odd_float, parse_constant=Odd)


def _flattened(text: str) -> str:
    """Replace every array or object _STACK levels down by a string of its JSON text; `sanitize` notes it."""
    parts: list[str] = []
    depth = done = start = 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in ("[", "{"):
            depth += 1
            if depth == _STACK:
                start = token.start()
        elif sign in ("]", "}"):
            if depth == _STACK:
                parts += [text[done:start], json.dumps(text[start : token.end()])]
                done = token.end()
            depth -= 1
    return "".join([*parts, text[done:]])


def sanitize(value: Any) -> tuple[Any, tuple[str, ...]]:
    """A copy of a JSON value without odd parts, and the JSON pointers (RFC 6901) of the parts replaced."""
    positions: list[str] = []
    return _sanitized(value, "", 0, positions), tuple(positions)


def _sanitized(value: Any, position: str, depth: int, positions: list[str]) -> Any:
    if isinstance(value, str):
        text = _without_halves(value)
        if text is not value or isinstance(value, Odd):
            positions.append(position)
        return str(text)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if LONG_MIN <= value <= LONG_MAX:
            return value
        positions.append(position)
        return _decimal(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        positions.append(position)
        return repr(value)
    if depth >= DEPTH_LIMIT:
        positions.append(position)
        return _without_halves(text_of(value))
    # One frame a level, and so no comprehension and no second function: the interpreter's stack is the limit here.
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        for key, item in value.items():
            name = _free_name(key, kept, value)
            step = f"{position}/{name.replace('~', '~0').replace('/', '~1')}"
            if name is not key:
                positions.append(step)
            kept[name] = _sanitized(item, step, depth + 1, positions)
        return kept
    items = []
    for index, item in enumerate(value):
        items.append(_sanitized(item, f"{position}/{index}", depth + 1, positions))
    return items


def _free_name(key: str, kept: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    """`key` as UTF-8; an escaped key must not displace another that is spelled like its escape."""
    name = _without_halves(key)
    while name is not key and (name in kept or name in others):
        name += "~"
    return name


def _without_halves(text: str) -> str:
    """`text` itself when it can be UTF-8, else a copy with every half surrogate as its escape."""
    if text.isascii():
        return text
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(sign):04x}" if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def _decimal(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # the interpreter's guard against quadratic conversion, 4,300 digits
        return hex(value)


def text_of(value: Any) -> str:
    """The JSON text of `value` without recursion: json and msgspec give up where this is needed."""
    written: list[str] = []
    pending: list[tuple[bool, Any]] = [(False, value)]  # (ready text?, text or value)
    while pending:
        ready, item = pending.pop()
        if ready:
            written.append(item)
        elif isinstance(item, Mapping):
            written.append("{")
            pending.append((True, "}"))
            for number, (key, member) in reversed(list(enumerate(item.items()))):
                pending += [(False, member), (True, f"{',' if number else ''}{json.dumps(key)}:")]
        elif isinstance(item, list):
            written.append("[")
            pending.append((True, "]"))
            for number, member in reversed(list(enumerate(item))):
                pending += [(False, member), (True, "," if number else "")]
        elif isinstance(item, int) and not isinstance(item, bool):
            written.append(_decimal(item))
        else:
            written.append(json.dumps(item, ensure_ascii=False))
    return "".join(written)
