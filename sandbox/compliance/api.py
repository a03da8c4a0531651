"""The simulated Compliance API as one ASGI application; its tests come from the documentation."""

from collections.abc import Iterable
from datetime import timedelta

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox.compliance.access import AccessControl
from sandbox.compliance.activities import Activities
from sandbox.compliance.budget import Budget
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, READ_AUDIT, READ_ORGANIZATIONS, ApiKey
from sandbox.compliance.organizations import Organizations
from sandbox.compliance.own_rows import SeededIds
from sandbox.compliance.responses import ApiState, ListedOrganization, SimulatedEndpoint
from sandbox.faults import Faults
from shared.clock import Clock

ACTIVITIES_PATH = "/v1/compliance/activities"
ORGANIZATIONS_PATH = "/v1/compliance/organizations"
_METHODS = ["GET", "DELETE", "POST", "PUT", "PATCH"]


def compliance_app(
    feed: SimulatedFeed,
    keys: Iterable[ApiKey],
    clock: Clock,
    *,
    faults: Faults | None = None,
    requests_per_minute: int = 600,
    own_rows: bool = True,
    order_supported: bool = True,
    indexing_delay: timedelta = timedelta(seconds=1),
    known_types: frozenset[str] | None = None,
    organizations: Iterable[ListedOrganization] = (),
    seed: int = 0,
) -> Starlette:
    """An API over `feed`; `app.state` is an `ApiState` that may be changed while it runs.

    `indexing_delay` applies to the API's own rows; other entries have their own `visible_at`.
    Two apps over one feed need different seeds; otherwise their own rows share ids.
    """
    state = ApiState()
    state.feed = feed
    state.budget = Budget(clock, requests_per_minute)
    state.keys = {key.secret: key for key in keys}
    state.enabled = True
    state.order_supported = order_supported
    state.known_types = known_types
    state.date_skew = timedelta()
    state.own_rows = own_rows
    state.indexing_delay = indexing_delay
    state.organizations = tuple(organizations)

    access = AccessControl(state, clock, SeededIds(seed), faults)
    activities = SimulatedEndpoint((READ_ACTIVITIES, READ_AUDIT), Activities(state).answer)
    organization_list = SimulatedEndpoint((READ_ORGANIZATIONS, READ_AUDIT), Organizations(state).answer)
    app = Starlette(
        routes=[
            Route(ACTIVITIES_PATH, access.serve(activities), methods=_METHODS),
            Route(ORGANIZATIONS_PATH, access.serve(organization_list), methods=_METHODS),
            Route("/{path:path}", access.serve(None), methods=_METHODS),
        ]
    )
    app.state = state
    return app
