"""Odd input: the feed's envelope, decoded fast, and read again by a lenient one when the fast decoder refuses it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import SourceBusy, SourceIncoherent
from shared.rows.sanitize import decode_odd, sanitize


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page. `data` may hold things that are not objects: the caller sets those aside.

    `has_more` is None when the page does not say, which is not the same as False; `escaped` maps an index of `data`
    to the JSON pointers of values that were replaced by text (see sanitize.py), to be handed to `fold`.
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


def read_page(body: bytes) -> PageContent:
    """Decode one page of the feed.

    Raises SourceBusy when the JSON is cut or broken (another attempt may succeed), SourceIncoherent when it is JSON but
    no page of activities.
    """
    try:
        page = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _patiently(body)
    return PageContent(page.data, page.has_more, page.last_id)


def _sanitized(data: list[Any], has_more: bool | None, last_id: str | None) -> PageContent:
    items = [sanitize(item) for item in data]
    escaped = {index: positions for index, (_, positions) in enumerate(items) if positions}
    return PageContent([item for item, _ in items], has_more, last_id, escaped)


def _patiently(body: bytes) -> PageContent:
    try:
        page = decode_odd(body)
    except ValueError as cut:
        raise SourceBusy("the page ended early or is not JSON; the next run asks for it again") from cut
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise SourceIncoherent(
            "the answer is JSON but no page of activities: look at what stands between us and the API"
        )
    has_more, last_id = page.get("has_more"), page.get("last_id")
    return _sanitized(
        page["data"],
        has_more if isinstance(has_more, bool) else None,
        str(last_id) if isinstance(last_id, str) else None,
    )
