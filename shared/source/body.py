"""A response's body, taken in piece by piece under a limit of bytes, before and after decompression."""

import zlib
from collections.abc import AsyncGenerator, Iterator

import httpx

from shared.errors import SourceBusy, SourceIncoherent
from shared.logs import safe

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
