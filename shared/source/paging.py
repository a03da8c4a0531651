"""All pages of one list, whichever of the three families it pages by."""

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared.errors import SourceBusy, SourceIncoherent
from shared.models import Cursor, Receipts, prefix_of
from shared.rows.sanitize import decode_odd, sanitize
from shared.source.client import NO_IDS, ApiResponse, ComplianceClient, Parameters
from shared.source.endpoint import LIMIT, Endpoint, Paging
from shared.source.rate_limit import RateLimit

PAGES_REMEMBERED = 200
"""Whose items a page must not merely repeat: at 1,000 items of 40 bytes each, 8 MB."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page. `items` are as the API sent them, odd values as text; `not_objects` counts what else stood in the list.

    `envelope` is the rest of the answer (a chat, a session). `following` is where the next page begins, None after the
    last one: saved once this page is dealt with, it lets a later run go on as `start`.
    """

    items: list[dict[str, Any]]
    not_objects: int
    envelope: dict[str, Any]
    following: Cursor | None
    request_id: str
    server_time: datetime | None
    bytes: int


async def pages(
    client: ComplianceClient,
    endpoint: Endpoint,
    parameters: Parameters,
    receipts: Receipts,
    *,
    deadline: datetime,
    ids: Mapping[str, str] = NO_IDS,
    start: Cursor | None = None,
    limit: int | None = None,
    reserve: int | None = None,
) -> AsyncGenerator[ListPage, None]:
    """Every page of `endpoint` from `start` on, until the API says that there are no more.

    `ids` fill the path; `limit` is the largest page the endpoint serves, unless given. Raises what
    `ComplianceClient.get` raises; SourceIncoherent when a page does not say whether there is more, gives a cursor
    again, or only repeats items; SourceBusy when `deadline` comes before the end.
    """
    if endpoint.paging in (Paging.NONE, Paging.BYTES):
        raise ValueError(f"{endpoint.path} has no pages")
    if limit is None and endpoint.sizes is not None:
        limit = endpoint.sizes.largest
    fixed = [*parameters, *([(LIMIT, str(limit))] if limit is not None else [])]
    cursor, cursors = start, {start}
    recent: deque[set[bytes]] = deque(maxlen=PAGES_REMEMBERED)
    while True:
        if client.is_past(deadline):
            raise SourceBusy(f"the run's time was up before {endpoint.path} was read to its end: the next run resumes")
        asked = [*fixed, *([(endpoint.paging.parameter, cursor)] if cursor is not None else [])]
        page = await _page(client, endpoint, asked, receipts, deadline, ids, reserve)
        if page.following is not None and page.following in cursors:
            raise SourceIncoherent(f"{endpoint.path} gives a cursor again: it would be read for ever")
        seen = {prefix_of(msgspec.json.encode(item).decode()) for item in page.items}
        if seen and all(any(item in others for others in recent) for item in seen):
            raise SourceIncoherent(f"a page of {endpoint.path} only repeats earlier ones: its cursor leads nowhere")
        yield page
        if page.following is None:
            return
        cursor = page.following
        cursors.add(cursor)
        recent.append(seen)


async def _page(
    client: ComplianceClient,
    endpoint: Endpoint,
    parameters: Parameters,
    receipts: Receipts,
    deadline: datetime,
    ids: Mapping[str, str],
    reserve: int | None,
) -> ListPage:
    envelope: dict[str, Any] = {}

    def take(answer: ApiResponse) -> None:
        nonlocal envelope
        envelope = _decoded(answer.body, endpoint)

    answer = await client.get(endpoint, parameters, receipts, deadline=deadline, ids=ids, reserve=reserve, take=take)
    listed = envelope.pop(endpoint.items)
    items = [item for item in listed if isinstance(item, dict)]
    return ListPage(
        items=items,
        not_objects=len(listed) - len(items),
        envelope=envelope,
        following=_following(endpoint, envelope),
        request_id=answer.request_id,
        server_time=answer.server_time,
        bytes=len(answer.body),
    )


def _decoded(body: bytes, endpoint: Endpoint) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            answer, _ = sanitize(decode_odd(body))
        except ValueError as cut:
            raise SourceBusy(f"a page of {endpoint.path} ended early or is not JSON", about_page=True) from cut
    if not isinstance(answer, dict) or not isinstance(answer.get(endpoint.items), list):
        raise SourceIncoherent(
            f"the answer is JSON but no page of {endpoint.path}: look at what stands between us and the API"
        )
    return answer


def _following(endpoint: Endpoint, envelope: Mapping[str, Any]) -> Cursor | None:
    """Where the next page begins; the stop rule of the endpoint's family."""
    with_flag = endpoint.paging is not Paging.TOKEN
    if with_flag:
        more = envelope.get("has_more")
        if not isinstance(more, bool):
            raise SourceIncoherent(f"a page of {endpoint.path} does not say whether there is more")
        if not more:
            return None
    cursor = envelope.get("last_id" if endpoint.paging is Paging.CURSOR else "next_page")
    if isinstance(cursor, str) and cursor:
        return Cursor(cursor)
    if with_flag or cursor is not None:
        raise SourceIncoherent(f"a page of {endpoint.path} says there is more and gives no cursor")
    return None


class ApiLists:
    """The lists of one connection, as snapshots read them."""

    def __init__(self, client: ComplianceClient, counted_with: Endpoint) -> None:
        """`counted_with` names the call whose request budget the lists are read from."""
        self._client = client
        self._counted_with = counted_with

    @property
    def budget(self) -> RateLimit:
        return self._client.limit(self._counted_with)

    async def begin_run(self) -> None:
        await self._client.begin_run()

    def pages(
        self, endpoint: Endpoint, receipts: Receipts, *, deadline: datetime, reserve: int
    ) -> AsyncGenerator[ListPage, None]:
        return pages(self._client, endpoint, (), receipts, deadline=deadline, reserve=reserve)
