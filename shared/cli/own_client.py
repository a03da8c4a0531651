"""A Compliance API client of one command, under a user agent that tells it from the bridge's own walks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial

import httpx
import msgspec
from pydantic import SecretStr

from shared.clock import Clock
from shared.doctor import Reply
from shared.errors import ConfigError, SourceBusy, SourceIncoherent
from shared.settings import ConnectionSettings, Settings
from shared.source.body import ACCEPTED_ENCODING, whole_body
from shared.source.client import ComplianceClient, Keys, open_http
from shared.source.key_vault import open_vault, vault_keys
from shared.source.rate_limit import RateLimit
from shared.streams.activity.endpoint import ActivityFeed
from shared.wiring import USER_AGENT, identity


def named(settings: Settings, name: str | None) -> tuple[ConnectionSettings, ...]:
    """The connection called `name`, or all; ConfigError with the names there are."""
    found = tuple(each for each in settings.connections if name in (None, each.name))
    if not found:
        names = ", ".join(each.name for each in settings.connections)
        raise ConfigError(f"no connection is called {name}; there are: {names}")
    return found


@dataclass(frozen=True, slots=True)
class Door:
    """The Compliance API as one command asks it; an `Api` for the doctor, a `feed` for reading."""

    http: httpx.AsyncClient
    keys: Keys
    clock: Clock
    feed: ActivityFeed
    headers: dict[str, str]

    async def get(self, path: str, parameters: Sequence[tuple[str, str]]) -> Reply:
        """Whatever is answered, once; SourceBusy when nothing is."""
        headers = {**self.headers, "x-api-key": await self.keys.current()}
        before = self.clock.now()
        request = self.http.build_request("GET", path, params=list(parameters), headers=headers)
        try:
            response = await self.http.send(request, stream=True)
            try:
                now = self.clock.now()
                content = await whole_body(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as broken:
            raise SourceBusy(f"the Compliance API did not answer ({type(broken).__name__})") from broken
        except SourceIncoherent as unreadable:
            raise SourceBusy(str(unreadable)) from unreadable
        budget = RateLimit()
        budget.hear(response.headers, now)
        date = response.headers.get("date")
        try:
            body = msgspec.json.decode(content)
        except msgspec.DecodeError:
            body = None
        return Reply(
            status=response.status_code,
            body=body,
            at=before + (now - before) / 2,
            date=parsedate_to_datetime(date) if date else None,
            request_id=response.headers.get("request-id", ""),
            limit=budget.limit,
            remaining=budget.remaining,
        )


@asynccontextmanager
async def own_door(settings: Settings, each: ConnectionSettings, clock: Clock, mark: str) -> AsyncIterator[Door]:
    """The connection's API, asked as `claude-sentinel-bridge/VERSION MARK`. ConfigError when its key is missing."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(settings.api_url(each)))
        keys = await _keys(settings, each, clock, stack)
        agent = f"{USER_AGENT} {mark}"
        client = ComplianceClient(http, keys, clock, version=settings.anthropic_version, user_agent=agent)
        feed = ActivityFeed(client, organization_ids=each.organization_ids)
        headers = {
            "anthropic-version": settings.anthropic_version,
            "user-agent": agent,
            "accept-encoding": ACCEPTED_ENCODING,
        }
        yield Door(http, keys, clock, feed, headers)


async def _keys(settings: Settings, each: ConnectionSettings, clock: Clock, stack: AsyncExitStack) -> Keys:
    if settings.key_vault_url is not None:
        credential = await stack.enter_async_context(identity())
        vault = await stack.enter_async_context(open_vault(settings.key_vault_url, credential))
        return Keys(partial(vault_keys, vault, each.secret, clock))
    key = settings.key(each)

    async def fetch() -> Sequence[SecretStr]:
        return (key,)

    return Keys(fetch)
