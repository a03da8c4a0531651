"""Sample data: a seeded tenant's activities, padded to the target size, on pages of the feed."""

import random
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, islice
from typing import Any

import msgspec

from sandbox.activity import FeedEntry, feed_entry
from sandbox.tenant import days

START = datetime(2026, 10, 5, tzinfo=UTC)
LONGEST = timedelta(days=400)
SIZE_BYTES = 1000
PAGE_SIZE = 5000

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_VOCABULARY = random.Random(7)
_PRODUCTS = [
    "".join(_VOCABULARY.choices(string.ascii_lowercase, k=_VOCABULARY.randrange(4, 9))).title()
    + f"/{_VOCABULARY.randrange(20)}.{_VOCABULARY.randrange(10)}"
    for _ in range(400)
]


def entries(count: int, *, seed: int = 7) -> Iterator[FeedEntry]:
    """`count` activities of a tenant of 400 people, in the feed's order, from START on; visible at once.

    The tenant's own are about 570 bytes. Each is made SIZE_BYTES long by a longer user agent, which stays below the
    1,024 bytes a column keeps: product names of a small vocabulary and a random token every hundred bytes or so, a text
    of its own for each actor and client, as in life. The few without a user agent (0.4 %) keep their size.
    """
    lived = days(start=START, end=START + LONGEST, seed=seed)
    for entry in islice(chain.from_iterable(lived), count):
        yield feed_entry(_padded(_decode(entry.body), len(entry.body)))


def bodies(pages: int, *, page_size: int = PAGE_SIZE, seed: int = 7) -> list[bytes]:
    """`pages` response bodies of the feed, before compression."""
    source = entries(pages * page_size, seed=seed)
    return [_body([entry.body for entry in islice(source, page_size)], str(page)) for page in range(pages)]


def _padded(activity: dict[str, Any], size: int) -> dict[str, Any]:
    actor = activity.get("actor")
    if size < SIZE_BYTES and isinstance(actor, dict) and isinstance(actor.get("user_agent"), str):
        actor["user_agent"] += _products(repr(sorted(actor.items())))[: SIZE_BYTES - size]
    return activity


@cache
def _products(actor: str) -> str:
    """` Name/1.2` a hundred times over, every tenth a random token of 22 letters: the same for the same actor."""
    chance = random.Random(actor)
    return "".join(
        " " + ("".join(chance.choices(string.ascii_letters, k=22)) if turn % 10 == 9 else chance.choice(_PRODUCTS))
        for turn in range(100)
    )


def _body(activities: list[bytes], cursor: str) -> bytes:
    return b'{"data":[' + b",".join(activities) + b'],"has_more":true,"last_id":"' + cursor.encode() + b'"}'
