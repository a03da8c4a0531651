"""One spelling per JSON value, for digests: sorted keys, no blanks, UTF-8, numbers as msgspec writes them."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

# Raises UnicodeEncodeError for lone surrogates and RecursionError for very deep values; see tame.py.
canonical = msgspec.json.Encoder(order="sorted").encode
encode = msgspec.json.Encoder().encode


def digest(body: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return sha256(body).hexdigest()


def activity_key(activity: Mapping[str, Any]) -> str:
    """What the ledger and `ActivityId` know an activity by: its `id`, or a digest of the whole when it has none."""
    identity = activity.get("id")
    return identity if isinstance(identity, str) and identity else f"sha256-{digest(canonical(activity))}"
