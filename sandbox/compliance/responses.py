"""Requests and responses of the endpoints; `AccessControl` adds the headers common to every response."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.datastructures import State

from sandbox.compliance.budget import Budget
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import ApiKey
from sandbox.faults import Fault


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request within its budget; `params` are the decoded query parameters, in order of arrival."""

    key: ApiKey
    params: Mapping[str, Sequence[str]]
    now: datetime
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class SimulatedResponse:
    """A status, a body and the headers specific to this response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class SimulatedEndpoint:
    """A documented path: one of `scopes` grants access; `answer` may raise ApiError."""

    scopes: tuple[str, ...]
    answer: Callable[[Call], SimulatedResponse]


@dataclass(frozen=True, slots=True)
class ListedOrganization:
    """One line of the organizations list; `created_at` as served."""

    uuid: str
    name: str
    created_at: str


class ApiState(State):
    """The app's `state`, which a test or the demo may read or change while the API is running.

    `enabled` False is the Compliance API turned off; `order_supported` False is an API without the `order` parameter;
    `date_skew` is added to every `Date` header; `known_types` None accepts every activity type in a filter;
    `keys` is by secret.
    """

    feed: SimulatedFeed
    budget: Budget
    keys: dict[str, ApiKey]
    enabled: bool
    order_supported: bool
    known_types: frozenset[str] | None
    date_skew: timedelta
    own_rows: bool
    indexing_delay: timedelta
    organizations: tuple[ListedOrganization, ...]
