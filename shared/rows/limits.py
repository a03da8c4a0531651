"""No cell over 32,000 bytes, no row over 900,000: cut here, where it is seen and noted, not silently by the service.

Cutting is linear in the size of the row: every value is measured once, the largest go first.
"""

from typing import Any

from shared.rows.canonical import encode

CELL_LIMIT_BYTES = 32_000  # half of what Log Analytics keeps: one page of its documentation says 32 KB
MAX_ROW_BYTES = 900_000  # an upload holds 1,000,000 of JSON; a row must leave room for the envelope
SMALL_BYTES = 8_000  # an activity no longer than this as JSON cannot make a cell too large, whatever is derived from it
_SHORT_BYTES = 1_000


def fit(row: dict[str, Any]) -> list[str]:
    """Cut cells of `row` in place until all limits hold; return the columns that lost something."""
    cut = [name for name, cell in row.items() if _size(cell) > CELL_LIMIT_BYTES]
    for name in cut:
        row[name] = _shrunk(row[name], CELL_LIMIT_BYTES)
    # Escapes can make a string's JSON six times its size, so that even cells that fit may be too much together.
    weights = sorted(((len(encode(cell)), name) for name, cell in row.items()), reverse=True)
    total = len(encode(row))
    for weight, name in weights:
        if total <= MAX_ROW_BYTES:
            break
        row[name] = _shrunk(row[name], _SHORT_BYTES)
        total -= weight - len(encode(row[name]))
        cut.append(name)
    return sorted(set(cut))


def _size(cell: Any) -> int:
    """UTF-8 bytes of a string, of the JSON of a dynamic cell; the rest is always small."""
    if isinstance(cell, str):
        return len(cell) if cell.isascii() else len(cell.encode())
    return len(encode(cell)) if isinstance(cell, dict | list) else 0


def _shrunk(cell: Any, limit_bytes: int) -> Any:
    if isinstance(cell, str):
        return cell.encode()[:limit_bytes].decode(errors="ignore")
    return _shrunk_object(cell, limit_bytes) if isinstance(cell, dict) else _shrunk_list(cell, limit_bytes)


def _shrunk_object(cell: dict[str, Any], limit_bytes: int) -> dict[str, Any]:
    """Null in the place of the largest values until the rest fits; if names alone are too many, the first of them."""
    sizes = {name: (len(encode(name)) + 2, len(encode(value))) for name, value in cell.items()}
    total = 2 + sum(name + value for name, value in sizes.values())
    shrunk = dict(cell)
    for name in sorted(sizes, key=lambda name: sizes[name][1], reverse=True):
        if total <= limit_bytes or sizes[name][1] <= len(b"null"):
            break
        shrunk[name] = None
        total -= sizes[name][1] - len(b"null")
    if total <= limit_bytes:
        return shrunk
    kept: dict[str, Any] = {}
    room = limit_bytes - 2
    for name, value in shrunk.items():
        room -= sizes[name][0] + len(encode(value))
        if room < 0:
            break
        kept[name] = value
    return kept


def _shrunk_list(cell: list[Any], limit_bytes: int) -> list[Any]:
    """The items that fit, in order; of a change that is too large its name, with nulls for the values."""
    kept: list[Any] = []
    room = limit_bytes - 2
    for item in cell:
        size = len(encode(item)) + 1
        if size > room and isinstance(item, dict):
            item = {name: value if name == "name" else None for name, value in item.items()}
            size = len(encode(item)) + 1
        if size <= room:
            kept.append(item)
            room -= size
    return kept
