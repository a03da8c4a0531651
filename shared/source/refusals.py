"""What the API refuses, as one of our errors: what happened, why it may have, and what to do."""

import logging
from datetime import datetime
from typing import Any

import httpx
import msgspec

from shared.errors import (
    BadRequest,
    BridgeError,
    ItemGone,
    NotAvailable,
    SourceBusy,
    SourceIncoherent,
    SourceRefused,
)
from shared.logs import event, logger, safe
from shared.retry import retry_after_seconds
from shared.source.body import pieces
from shared.source.endpoint import Endpoint, Meaning

log = logger(__name__)

REFUSAL_LIMIT_BYTES = 64 * 1024
ENABLE = "claude.ai, Organization settings, API"


async def refusal(endpoint: Endpoint, response: httpx.Response, now: datetime) -> BridgeError:
    """The error for an answer that is not 200. Its body is read, at most REFUSAL_LIMIT_BYTES of it."""
    status = response.status_code
    said, code = await _words(response)
    request_id = response.headers.get("request-id", "-")
    event(log, "request.refused", level=logging.WARNING, status=status, request_id=request_id, path=endpoint.path)
    if status in (400, 401, 403, 404, 409):
        return _by_meaning(endpoint, status, said, code)
    if response.headers.get("x-should-retry") == "false":
        return SourceIncoherent(
            f"the Compliance API will never answer this request ({status}, x-should-retry: false): its window is "
            "made smaller, and what still cannot be read is a gap to repair"
        )
    if status in (408, 429) or status >= 500:
        return SourceBusy(
            f"the Compliance API is busy ({status}): nothing to do unless it lasts",
            after=retry_after_seconds(response.headers.get("retry-after"), now),
        )
    if 300 <= status < 400:
        return SourceRefused(
            f"the Compliance API answers {status}, a redirect, which is not followed because it would carry the key "
            "elsewhere: check COMPLIANCE_API_URL and what stands between us and the API"
        )
    return SourceRefused(
        f"the Compliance API answers {status} ({said}), which it does not document: check COMPLIANCE_API_URL and what "
        "stands between us and the API"
    )


def _by_meaning(endpoint: Endpoint, status: int, said: str, code: str) -> BridgeError:
    path, scope = endpoint.path, endpoint.scope or "for it"
    match endpoint.means(status):
        case Meaning.BAD_REQUEST:
            return BadRequest(
                f"the Compliance API refuses the request for {path} (400: {said}): if the API is switched off, turn it "
                f"on ({ENABLE}); if a parameter is refused, update the bridge",
                code=code,
            )
        case Meaning.GONE:
            return ItemGone(f"an object under {path} is gone, or this key may not see it ({status})")
        case Meaning.NOT_AVAILABLE:
            kinds = " or ".join(f"{kind} key" for kind in endpoint.keys)
            return NotAvailable(
                f"{path} is not available to this key or organization ({status}: {said}): it takes a valid {kinds} "
                f"with the scope {scope} and an organization that has the feature; otherwise turn this stream off"
            )
    if status == 401:
        return SourceRefused(
            f"the key is invalid, deactivated or expired (401: {said}): make a new one with the scope {scope} and "
            "store it"
        )
    if status == 403:
        return SourceRefused(
            f"the key lacks the scope {scope}, or may not see this organization (403: {said}): scopes cannot be "
            "edited, make a new key with that scope and store it"
        )
    if status == 404:
        return SourceRefused(
            f"the Compliance API answers 404 ({said}): the key is of the wrong kind, the address is wrong, or the "
            "organization is unknown or has no Compliance API; check that the key starts with sk-ant-api01- or "
            f"sk-ant-admin01-, then COMPLIANCE_API_URL, then that the Compliance API is on ({ENABLE})"
        )
    return SourceRefused(f"the Compliance API refuses {path} ({status}: {said}): read its words and ask its owner")


async def _words(response: httpx.Response) -> tuple[str, str]:
    """The API's own words, masked and short, and its error code; never the rest of the body."""
    try:
        body = b"".join([piece async for piece in pieces(response, limit_bytes=REFUSAL_LIMIT_BYTES)])
        error: Any = msgspec.json.decode(body)["error"]
        said = safe(str(error["message"]))[:200]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, SourceBusy, SourceIncoherent):
        return "no readable message", ""
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    return said, safe(code)[:80] if isinstance(code, str) else ""
