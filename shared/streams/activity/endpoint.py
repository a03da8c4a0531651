"""The Activity Feed: one page of one window, requested and decoded."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.errors import SourceBusy, SourceIncoherent
from shared.models import Cursor, Page, Position, Receipts
from shared.rows.sanitize import decode_odd, sanitize
from shared.source.client import ApiResponse, ComplianceClient
from shared.source.endpoint import LIMIT
from shared.source.endpoints import ACTIVITIES
from shared.source.rate_limit import RateLimit


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


class ActivityFeed:
    """The feed of one connection.

    `organization_ids` narrows a parent-wide key; the API returns rows without an organization all the same.
    """

    def __init__(self, client: ComplianceClient, *, organization_ids: tuple[str, ...] = ()) -> None:
        self._client = client
        self._organization_ids = organization_ids

    @property
    def budget(self) -> RateLimit:
        return self._client.limit(ACTIVITIES)

    async def reading(self) -> "FeedReading":
        """A run's own reading of the feed: with the key as it is now, and its own receipts."""
        await self._client.begin_run()
        return FeedReading(self._client, self._organization_ids)


class FeedReading:
    """Pages for one run."""

    def __init__(self, client: ComplianceClient, organization_ids: tuple[str, ...]) -> None:
        self._client = client
        self._organization_ids = organization_ids
        self.receipts = Receipts()

    async def page(self, position: Position, *, deadline: datetime, reserve: int | None = None) -> Page:
        """The page at `position`. Raises what `ComplianceClient.get` raises; a body cut short is fetched again."""
        content: PageContent | None = None

        def take(answer: ApiResponse) -> None:
            nonlocal content
            try:
                content = read_page(answer.body)
            except SourceBusy as cut:
                raise SourceBusy(str(cut), about_page=True) from cut

        try:
            answer = await self._client.get(
                ACTIVITIES, self._parameters(position), self.receipts, deadline=deadline, reserve=reserve, take=take
            )
        except SourceBusy as last:
            if last.about_page:
                raise SourceIncoherent(f"a page could not be read in several tries: {last}") from last
            raise
        assert content is not None
        return Page(
            items=content.data,
            has_more=content.has_more,
            last_id=Cursor(content.last_id) if content.last_id is not None else None,
            request_id=answer.request_id,
            server_time=answer.server_time,
            bytes=len(answer.body),
            escaped=content.escaped,
        )

    def _parameters(self, position: Position) -> list[tuple[str, str]]:
        parameters = [
            (ACTIVITIES.bound("created_at", "gte"), rfc3339(position.window.gte)),
            (ACTIVITIES.bound("created_at", "lt"), rfc3339(position.window.lt)),
            (LIMIT, str(position.limit)),
        ]
        if position.order != "default":
            parameters.append(("order", position.order))
        if position.cursor is not None:
            parameters.append((ACTIVITIES.paging.parameter, position.cursor))
        parameters += [("activity_types[]", name) for name in position.activity_types]
        parameters += [("organization_ids[]", name) for name in self._organization_ids]
        return parameters


def rfc3339(moment: datetime) -> str:
    """`2026-11-24T13:05:00.000001Z`: the explicit zone is required."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
