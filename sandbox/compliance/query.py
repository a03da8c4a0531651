"""Parse a query string into a `FeedQuery`, with the documented 400 for invalid input (sections 1, 4 and 6.1)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sandbox.compliance.cursors import FeedPosition, decode
from sandbox.compliance.errors import bad_cursor, bad_value, foreign_organization, unknown_parameter
from sandbox.compliance.feed import FeedQuery, Order
from sandbox.compliance.keys import ApiKey

Params = Mapping[str, Sequence[str]]

LIMIT_DEFAULT, LIMIT_MAX = 100, 5000
TIMES = ("created_at.gte", "created_at.gt", "created_at.lte", "created_at.lt")
KNOWN = frozenset(
    {"activity_types[]", "exclude_activity_types[]", "actor_ids[]", "user_ids[]", "organization_ids[]"}
    | {*TIMES, "after_id", "before_id", "limit"}
)
# RFC 3339 with an explicit offset; `fromisoformat` alone would also take dates and basic formats.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def read_query(
    params: Params,
    key: ApiKey,
    locate: Callable[[str], FeedPosition | None],
    *,
    known_types: frozenset[str] | None,
    order_supported: bool,
) -> FeedQuery:
    """The parsed query; raises ApiError 400 (403 for an organization outside the key's reach).

    `locate` finds a raw activity id used as a cursor. `known_types` None accepts every type.
    """
    known = KNOWN | {"order"} if order_supported else KNOWN
    for name in params:
        if name not in known:
            raise unknown_parameter(name, known)
    if "after_id" in params and "before_id" in params:
        raise bad_value("after_id", "cannot be combined with before_id")
    if "activity_types[]" in params and "exclude_activity_types[]" in params:
        raise bad_value("activity_types[]", "cannot be combined with exclude_activity_types[]")
    gte, gt, lte, lt = (_time(params, name) for name in TIMES)
    users = [*params.get("actor_ids[]", ()), *params.get("user_ids[]", ())]  # two names for one list
    return FeedQuery(
        gte=gte,
        gt=gt,
        lte=lte,
        lt=lt,
        types=_types(params, "activity_types[]", known_types),
        excluded_types=_types(params, "exclude_activity_types[]", known_types),
        users=frozenset(users) or None,
        organizations=_organizations(params, key),
        visible_organizations=key.organization_ids,
        order=_order(params),
        after=_cursor(params, "after_id", locate),
        before=_cursor(params, "before_id", locate),
        limit=read_limit(params, LIMIT_DEFAULT, LIMIT_MAX),
    )


def read_limit(params: Params, default: int, largest: int) -> int:
    """The `limit` parameter; raises ApiError 400 unless it is an integer from 1 to `largest`."""
    text = params.get("limit", [str(default)])[-1]
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= largest:
        raise bad_value("limit", f"must be an integer from 1 to {largest}")
    return int(text)


def _time(params: Params, name: str) -> datetime | None:
    if name not in params:
        return None
    text = params[name][-1]
    try:
        if _RFC3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # the right format for a date that does not exist, such as February 30
    raise bad_value(name, "must be an RFC 3339 time with an offset, for example 2026-10-01T00:00:00Z")


def _types(params: Params, name: str, known_types: frozenset[str] | None) -> frozenset[str] | None:
    if name not in params:
        return None
    asked = frozenset(params[name])
    if known_types is not None and not asked <= known_types:
        raise bad_value(name, f"{sorted(asked - known_types)[0]!r} is not a permitted value")
    return asked


def _organizations(params: Params, key: ApiKey) -> frozenset[str] | None:
    if "organization_ids[]" not in params:
        return None
    asked = frozenset(params["organization_ids[]"])
    if key.organization_ids is not None and not asked <= key.organization_ids:
        raise foreign_organization(sorted(asked - key.organization_ids)[0])
    return asked


def _order(params: Params) -> Order:
    text = params.get("order", ["desc"])[-1]
    if text == "asc":
        return "asc"
    if text == "desc":
        return "desc"
    raise bad_value("order", "must be asc or desc")


def _cursor(params: Params, name: str, locate: Callable[[str], FeedPosition | None]) -> FeedPosition | None:
    if name not in params:
        return None
    text = params[name][-1]
    position = decode(text) or locate(text)
    if position is None:
        raise bad_cursor(name)
    return position
