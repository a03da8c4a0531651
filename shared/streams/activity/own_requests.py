"""Which requests to the API were ours, for as long as their activities may still come by."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

OWN_REQUESTS_KEPT = 50_000


class OwnRequests:
    """The ids of a connection's latest requests; what they are recognized in names the key the API knows us by."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, request_ids: Iterable[str]) -> None:
        """Remember these; beyond 50,000 (a day and more of reading) the oldest are forgotten."""
        self._ids.update(dict.fromkeys(request_ids))
        while len(self._ids) > OWN_REQUESTS_KEPT:
            self._ids.popitem(last=False)

    def key_of(self, activity: Any) -> str | None:
        """The key id of an activity that records one of our own requests, else None."""
        if activity.get("request_id") not in self._ids:
            return None
        actor = activity.get("actor")
        key = actor.get("api_key_id") if actor.__class__ is dict else None
        return key if key.__class__ is str else None
