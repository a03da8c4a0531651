"""One spelling per JSON value, for digests: sorted keys, no blanks, UTF-8, numbers as orjson writes them."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from shared.rows.sanitize import sanitize

# All raise TypeError for lone surrogates, integers over 64 bit and values of more than 254 levels; see sanitize.py.
canonical = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
strictly = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)  # and over 53 bit
encode = orjson.dumps


def kept(value: Any) -> bytes:
    """`encode` for bytes that are held by the thousand: orjson's own answer keeps a buffer of 8 kB behind it."""
    return bytes(memoryview(orjson.dumps(value)))


def digest(body: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return sha256(body).hexdigest()


def activity_key(activity: Mapping[str, Any]) -> str:
    """What the ledger and `ActivityId` know an activity by: its `id`, or a digest of the whole when it has none."""
    identity = activity.get("id")
    return identity if isinstance(identity, str) and identity else f"sha256-{digest(canonical(sanitize(activity)[0]))}"
