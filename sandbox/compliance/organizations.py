"""`GET /v1/compliance/organizations`: the page-token family in its smallest form (sections 5, 12 and 18)."""

import json
import re

from sandbox.compliance.errors import bad_cursor, unknown_parameter
from sandbox.compliance.query import read_limit
from sandbox.compliance.responses import ApiState, Call, SimulatedResponse

KNOWN = frozenset({"limit", "page"})
LIMIT_MAX = 1000  # also the default
_TOKEN = re.compile(r"page_([0-9]{1,9})")


class Organizations:
    """The endpoint: organizations visible to the key, oldest first."""

    def __init__(self, state: ApiState) -> None:
        self._state = state

    def answer(self, call: Call) -> SimulatedResponse:
        """Raises ApiError 400 for an unknown parameter, a bad `limit` or a `page` token that is not ours."""
        for name in call.params:
            if name not in KNOWN:
                raise unknown_parameter(name, KNOWN)
        limit = read_limit(call.params, LIMIT_MAX, LIMIT_MAX)
        token = _TOKEN.fullmatch(call.params.get("page", ["page_0"])[-1])
        if token is None:
            raise bad_cursor("page")
        start = int(token[1])
        reach = call.key.organization_ids
        visible = [each for each in self._state.organizations if reach is None or each.uuid in reach]
        visible.sort(key=lambda each: (each.created_at, each.uuid))
        data = [
            {"uuid": each.uuid, "name": each.name, "created_at": each.created_at}
            for each in visible[start : start + limit]
        ]
        has_more = start + limit < len(visible)
        page = {"data": data, "has_more": has_more, "next_page": f"page_{start + limit}" if has_more else None}
        return SimulatedResponse(200, json.dumps(page).encode())
