"""Odd input: the feed's envelope, decoded fast, and read again with patience when the fast decoder refuses it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import SourceBusy, SourceIncoherent
from shared.rows.sanitize import Odd, odd_float, odd_int, tame


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page. `data` may hold things that are not objects: the caller sets those aside.

    `has_more` is None when the page does not say, which is not the same as False; `escaped` maps an index of `data`
    to the JSON pointers of values that were replaced by text (see tame.py), to be handed to `fold`.
    """

    data: list[Any]
    has_more: bool | None
    last_id: str | None
    escaped: dict[int, tuple[str, ...]] = field(default_factory=dict)


class _Envelope(msgspec.Struct):
    data: list[Any]
    has_more: bool | None = None
    last_id: str | None = None


_decode = msgspec.json.Decoder(_Envelope).decode
_STACK = 400  # more than tame.DEPTH_LIMIT, less than the json module's own recursion can bear
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def read_page(body: bytes) -> PageContent:
    """Decode one page of the feed.

    Raises SourceBusy when the JSON is cut or broken (asking again may mend it), SourceIncoherent when it is JSON but
    no page of activities.
    """
    try:
        page = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _patiently(body)
    return PageContent(page.data, page.has_more, page.last_id)


def _tamed(data: list[Any], has_more: bool | None, last_id: str | None) -> PageContent:
    items = [tame(item) for item in data]
    escaped = {index: places for index, (_, places) in enumerate(items) if places}
    return PageContent([item for item, _ in items], has_more, last_id, escaped)


def _patiently(body: bytes) -> PageContent:
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        page = _loads(text)
    except RecursionError:
        page = _loads(_flattened(text))
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise SourceIncoherent(
            "the answer is JSON but no page of activities: look at what stands between us and the API"
        )
    has_more, last_id = page.get("has_more"), page.get("last_id")
    return _tamed(
        page["data"],
        has_more if isinstance(has_more, bool) else None,
        str(last_id) if isinstance(last_id, str) else None,
    )


def _loads(text: str) -> Any:
    try:
        return json.loads(text, strict=False, parse_int=odd_int, parse_float=odd_float, parse_constant=Odd)
    except ValueError as exc:
        raise SourceBusy("the page ended early or is not JSON; the next run asks for it again") from exc


def _flattened(text: str) -> str:
    """Replace every array or object _STACK levels down by a string of its JSON text; `tame` then notes the place."""
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
