"""`GET /v1/compliance/activities`: the page a request asks for, in its envelope (section 6).

Faults of this endpoint, with their options:
    repeated_page          the previous page again: same rows, same cursors, `has_more` true
    stuck_cursor           no rows, `has_more` true, cursors null
    cursor_expired         400 on `after_id` or `before_id`; no effect on a request without one
    no_has_more            an envelope without `has_more`
    false_end              `has_more` false although more activities follow
    odd_row {bodies}       malformed JSON items inserted in the middle of `data`
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from sandbox.compliance.cursors import encode
from sandbox.compliance.errors import bad_cursor
from sandbox.compliance.feed import FeedPage
from sandbox.compliance.keys import ApiKey
from sandbox.compliance.query import read_query
from sandbox.compliance.responses import ApiState, Call, SimulatedResponse

PAGE_FAULTS = frozenset({"repeated_page", "stuck_cursor", "cursor_expired", "no_has_more", "false_end", "odd_row"})

_CURSORS = ("after_id", "before_id")
_REMEMBERED = 64

PagingKey = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]


class Activities:
    """The endpoint; keeps the last page of each recent sequence of requests, so that it can be served twice."""

    def __init__(self, state: ApiState) -> None:
        self._state = state
        self._last_pages: OrderedDict[PagingKey, FeedPage] = OrderedDict()

    def answer(self, call: Call) -> SimulatedResponse:
        """Raises ApiError for a request the documentation refuses."""
        state = self._state
        query = read_query(
            call.params,
            call.key,
            state.feed.position,
            known_types=state.known_types,
            order_supported=state.order_supported,
        )
        kind = call.fault.kind if call.fault else None
        if kind == "cursor_expired":
            for name in _CURSORS:
                if name in call.params:
                    raise bad_cursor(name)
        page = state.feed.page(query, call.now)
        paging = _paging_key(call.key, call.params)
        if kind == "repeated_page":
            page = FeedPage(self._last_pages.get(paging, page).entries, has_more=True)
        elif kind == "stuck_cursor":
            page = FeedPage((), has_more=True)
        elif kind == "false_end":
            page = FeedPage(page.entries, has_more=False)
        self._remember(paging, page)
        malformed = call.fault.options.get("bodies", ()) if call.fault and kind == "odd_row" else ()
        return SimulatedResponse(200, envelope(page, malformed=malformed, with_has_more=kind != "no_has_more"))

    def _remember(self, paging: PagingKey, page: FeedPage) -> None:
        self._last_pages[paging] = page
        self._last_pages.move_to_end(paging)
        if len(self._last_pages) > _REMEMBERED:
            self._last_pages.popitem(last=False)


def envelope(page: FeedPage, *, malformed: Sequence[bytes] = (), with_has_more: bool = True) -> bytes:
    """The page as JSON. Activities are served as their original bytes, never decoded or encoded again."""
    bodies = [entry.body for entry in page.entries]
    middle = len(bodies) // 2
    bodies[middle:middle] = malformed
    has_more = (b'"has_more":' + (b"true" if page.has_more else b"false") + b",") if with_has_more else b""
    first, last = (f'"{encode(at)}"' if at else "null" for at in (page.first, page.last))
    return b"".join(
        (b'{"data":[', b",".join(bodies), b"],", has_more, f'"first_id":{first},"last_id":{last}}}'.encode())
    )


def _paging_key(key: ApiKey, params: Mapping[str, Sequence[str]]) -> PagingKey:
    """What stays the same across the pages of one query."""
    return key.key_id, tuple(sorted((name, tuple(value)) for name, value in params.items() if name not in _CURSORS))
