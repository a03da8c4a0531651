"""`format_timespan`. Its format is parsed during translation, so it must be a literal (in practice it always is)."""

import re
from collections.abc import Sequence

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_ELEMENT = re.compile(r"d+|[Hh]{1,2}|m{1,2}|s{1,2}|f{1,7}|F{1,7}|[ /\-:,._\[\]]")
_DIVISOR_AND_MODULUS = {
    "d": (86_400_000_000, None),
    "h": (3_600_000_000, 24),
    "m": (60_000_000, 60),
    "s": (1_000_000, 60),
}


def format_timespan(args: Sequence[str]) -> str:
    """SQL for `format_timespan(span, 'dd.hh:mm:ss.fff')`; ValueError for a format that is not supported."""
    span, literal = args
    quoted = _LITERAL.fullmatch(literal)
    if quoted is None:
        raise ValueError("the format of format_timespan() must be a literal here")
    text, position, parts = quoted[1], 0, []
    while position < len(text):
        element = _ELEMENT.match(text, position)
        if element is None:
            raise ValueError(f"format_timespan() has no format element {text[position]!r}")
        parts.append(_element(element[0]))
        position = element.end()
    return f"list_transform([abs(epoch_us({span}))], lambda _us: concat({', '.join(parts) or repr('')}))[1]"


def _element(element: str) -> str:
    kind, width = element[0], len(element)
    if kind in "fF":
        # Seven digits are 100 ns ticks; DuckDB stores microseconds, so the seventh is 0. F omits all-zero fractions.
        digits = f"left(lpad(CAST(_us % 1000000 AS VARCHAR), 6, '0') || '0', {width})"
        return digits if kind == "f" else f"CASE WHEN regexp_full_match({digits}, '0*') THEN '' ELSE {digits} END"
    if kind.lower() not in _DIVISOR_AND_MODULUS:
        return f"'{element}'"
    divisor, modulus = _DIVISOR_AND_MODULUS[kind.lower()]
    number = f"CAST(_us // {divisor}{f' % {modulus}' if modulus else ''} AS VARCHAR)"
    return f"CASE WHEN length({number}) < {width} THEN lpad({number}, {width}, '0') ELSE {number} END"
