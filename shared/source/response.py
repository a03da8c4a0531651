"""A response: its body, read in pieces under a limit of bytes before and after decompression; or the error it means."""

import logging
import zlib
from collections.abc import AsyncGenerator, Iterator
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
from shared.source.endpoint import Endpoint, Meaning

ACCEPTED_ENCODING = "gzip"
BODY_LIMIT_BYTES = 64 * 1024 * 1024
"""What one answer may hold. The largest page, 5,000 activities, is about 5 MB; decoded, a body of this size takes some
300 MB of the 2 GB that the smallest instance has."""
PIECE_BYTES = 256 * 1024
"""What decompression may give at once: a few bytes of gzip can stand for a thousand times as many."""
_GZIP = 31  # zlib's `wbits` for a gzip header and nothing else


async def whole_body(response: httpx.Response) -> bytes:
    """The whole body. Raises as `pieces`; SourceIncoherent beyond BODY_LIMIT_BYTES."""
    # Not `aread`: a response lies in a circle of references and would keep its body until the collector comes round.
    # With pages of 5 MB that was 40 MB at the peak.
    return b"".join([piece async for piece in pieces(response, limit_bytes=BODY_LIMIT_BYTES)])


async def pieces(response: httpx.Response, *, limit_bytes: int | None) -> AsyncGenerator[bytes, None]:
    """The body, decompressed, in pieces of at most PIECE_BYTES (or as the network gave them).

    Raises SourceBusy when it breaks off or is no gzip (asking again may help), SourceIncoherent as soon as it is larger
    than `limit_bytes` (asking for less may help). Content-Length is not believed.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    inflate = _Inflate(response.headers.get("content-encoding", ""))
    received = given = 0
    try:
        # Not `aiter_bytes`: it decompresses whatever arrived in one go.
        async for raw in response.stream:
            received += len(raw)
            for piece in inflate.feed(raw):
                given += len(piece)
                if limit_bytes is not None and max(received, given) > limit_bytes:
                    raise SourceIncoherent(
                        f"an answer of the Compliance API is larger than {limit_bytes:,} bytes: a smaller page or "
                        "window is asked for instead"
                    )
                yield piece
        for piece in inflate.end():
            yield piece
    except (httpx.HTTPError, zlib.error) as broken:
        raise SourceBusy(
            f"the Compliance API broke off its answer ({type(broken).__name__}): it is asked again", about_page=True
        ) from broken


class _Inflate:
    """Gzip or nothing; `feed` gives at most PIECE_BYTES at a time."""

    def __init__(self, encoding: str) -> None:
        if encoding.strip().lower() not in ("", "identity", ACCEPTED_ENCODING):
            raise SourceIncoherent(
                f"the Compliance API sent the encoding {safe(encoding)[:40]}, which was not asked for: look at what "
                "stands between us and the API"
            )
        self._gzip = zlib.decompressobj(_GZIP) if encoding.strip().lower() == ACCEPTED_ENCODING else None
        self._started = False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        if self._gzip is None:
            yield raw
            return
        self._started = self._started or bool(raw)
        while raw and not self._gzip.eof:
            yield self._gzip.decompress(raw, PIECE_BYTES)
            raw = self._gzip.unconsumed_tail

    def end(self) -> Iterator[bytes]:
        """What zlib still held back. Raises zlib.error when the stream has no end: the body was cut."""
        if self._gzip is None or not self._started:
            return
        yield self._gzip.flush()
        if not self._gzip.eof:
            raise zlib.error("the stream ended early")


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
