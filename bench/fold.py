"""Activities per second that one core folds: fold (RecordHash included) and msgspec encoding of the row.

    python -m bench.fold [activities]

Activities are invented from the catalogue's documented fields: 90 % from 60 types, 85 % by users. They are measured at
their natural size, padded to 1,000 bytes of JSON by a longer user agent, and padded by a field that is not in the
catalogue, which every activity then reports as drift. Median of five passes, in CPU time.
"""

import json
import random
import string
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.rows.canonical import encode
from shared.streams.activity import catalogue
from shared.streams.activity.fold import RowContext, fold

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605",
    "claude-code/2.0.14 (external, cli)",
)


def identity(chance: random.Random, prefix: str) -> str:
    return f"{prefix}_01{''.join(chance.choices(string.ascii_letters + string.digits, k=22))}"


def value(chance: random.Random, field: str) -> Any:
    """A plausible value, derived from the field's name."""
    if field == "updates":
        return [{"type": "name", "previous_value": "before", "current_value": "after"}]
    if field in ("scopes", "member_ids"):
        return [identity(chance, "item") for _ in range(3)]
    if field in ("enabled", "is_enabled", "current_value", "previous_value"):
        return chance.random() < 0.5
    if field == "status_code" or field.endswith("_count"):
        return chance.randrange(200, 500)
    if field in ("filename", "title"):
        return None
    if field == "url":
        return "https://api.anthropic.com/v1/compliance/activities?limit=5000&order=asc"
    return identity(chance, field.removesuffix("_id"))


def activities(count: int, *, pad_to: int = 0, drift: bool = False, seed: int = 7) -> list[dict[str, Any]]:
    """`count` invented activities, each of at least `pad_to` bytes of JSON; with `drift` the padding is a new field."""
    chance = random.Random(seed)
    types = catalogue.load().types
    hot = chance.sample(sorted(types), 60)
    made = []
    for number in range(count):
        name = chance.choice(hot) if chance.random() < 0.9 else chance.choice(sorted(types))
        seen = {"ip_address": f"198.51.100.{number % 250}", "user_agent": chance.choice(AGENTS)}
        user = {"type": "user_actor", "email_address": f"person{number % 3000}@contoso.example"}
        api = {"type": "api_actor", "api_key_id": identity(chance, "apikey")}
        actor = user | {"user_id": identity(chance, "user")} if chance.random() < 0.85 else api
        at = (START + timedelta(microseconds=17_281 * number)).isoformat(timespec="microseconds")
        activity = {
            "id": identity(chance, "activity"),
            "type": name,
            "created_at": at.replace("+00:00", "Z"),
            "organization_id": identity(chance, "org"),
            "organization_uuid": "3f0c9a52-0000-4000-8000-00000000a001",
            "actor": actor | seen,
            **{field: value(chance, field) for field in sorted(types[name].fields)},
        }
        missing = max(0, pad_to - len(encode(activity)) - (13 if drift else 0))
        padding = "".join(chance.choices(string.ascii_letters + " ", k=missing))
        if drift:
            activity["context"] = padding
        else:
            activity["actor"]["user_agent"] += padding
        made.append(activity)
    return made


def seconds(sample: list[dict[str, Any]], context: RowContext) -> float:
    """CPU seconds to fold and encode the sample once."""
    started = time.process_time()
    for activity in sample:
        encode(fold(activity, context).row)
    return time.process_time() - started


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    context = RowContext("contoso", "run-1", "0.1.0", "live", False, START + timedelta(minutes=10))
    for label, pad_to, drift in (("natural", 0, False), ("1 kB", 1000, False), ("1 kB, drift", 1000, True)):
        sample = activities(count, pad_to=pad_to, drift=drift)
        seconds(sample[:1000], context)
        taken = sorted(seconds(sample, context) for _ in range(5))[2]
        size = sum(len(encode(activity)) for activity in sample) / count
        row = sum(len(encode(fold(activity, context).row)) for activity in sample) / count
        print(
            json.dumps(
                {"sample": label, "bytes": round(size), "row_bytes": round(row), "per_second": round(count / taken)}
            )
        )


if __name__ == "__main__":
    main()
