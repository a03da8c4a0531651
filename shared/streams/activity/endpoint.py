"""The Activity Feed: one page of one window."""

from datetime import UTC, datetime

from shared.errors import SourceBusy, SourceIncoherent
from shared.models import Cursor, Page, Position, Receipts
from shared.source.client import ApiResponse, ComplianceClient
from shared.source.endpoint import LIMIT
from shared.source.endpoints import ACTIVITIES
from shared.source.rate_limit import RateLimit
from shared.streams.activity.decode import PageContent, read_page


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
