"""Another reader of the tenant's Compliance API: a collector like Purview's own, every 15 minutes."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sandbox.tenant.company import Company
from sandbox.tenant.ids import Ids
from sandbox.tenant.recorder import Recorder
from sandbox.tenant.values import stamp

API: Final = "https://api.anthropic.com/v1/compliance"  # the documented URL, as in `url`
_EVERY: Final = timedelta(minutes=15)


class Collector:
    """Records this reader's `compliance_api_accessed` activities; the bridge's own come from the API simulator."""

    def __init__(self, company: Company, recorder: Recorder, seed: int) -> None:
        self._actor = company.key("purview-collector").actor()
        self._recorder = recorder
        self._seed = seed

    def day(self, day: date) -> None:
        rng = random.Random(f"{self._seed}/collector/{day}")
        ids = Ids(rng)
        at = datetime.combine(day, time(), UTC) + timedelta(minutes=3)
        for _ in range(timedelta(days=1) // _EVERY):
            since = stamp(at - _EVERY)
            busy = 6 <= at.hour < 20 and day.weekday() < 5
            paths = [f"/activities?limit=1000&created_at.gte={since}"]
            if busy and rng.random() < 0.5:
                paths.append("/apps/chats?limit=100&order_by=updated_at")
            if busy and rng.random() < 0.3:
                paths.append(f"/apps/chats/{ids.new('claude_chat')}/messages")
            moment = at + timedelta(seconds=rng.uniform(0, 20))
            for path in paths:
                moment += timedelta(seconds=rng.uniform(0.9, 5.1))
                status = 429 if rng.random() < 0.004 else 200
                read = {"request_id": ids.new("req"), "request_method": "GET", "url": f"{API}{path}"}
                fields = {**read, "status_code": status, "request_body": None}
                self._recorder.record(moment, "compliance_api_accessed", self._actor, None, fields)
            at += _EVERY
