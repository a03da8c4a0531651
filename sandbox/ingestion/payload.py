"""The body of one call: size limit, gzip, JSON."""

import zlib
from dataclasses import dataclass
from typing import Any

import msgspec

LIMIT_BYTES = 1_048_576  # one call, compressed and uncompressed

_GZIP = 16 + zlib.MAX_WBITS
_decode = msgspec.json.Decoder().decode


class PayloadRefused(Exception):
    """The body is not accepted: `status` and the error's `code` and `message`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Payload:
    """The decoded JSON value."""

    value: Any

    @property
    def elements(self) -> list[Any] | None:
        """The rows as sent; None if the body is not an array."""
        return self.value if isinstance(self.value, list) else None


def read(body: bytes, encoding: str) -> Payload:
    """Decompress and decode a body sent with `Content-Encoding: encoding` ("" for none); raise PayloadRefused."""
    if not body:
        # As in Microsoft's live tests: an empty body is a server error, not a client error.
        raise PayloadRefused(500, "InternalServerError", "The server encountered an error")
    _limit(len(body))
    if encoding == "gzip":
        body = _unzip(body)
        _limit(len(body))
    elif encoding:
        raise PayloadRefused(400, "InvalidContentEncoding", f"Content-Encoding {encoding} is not supported; use gzip")
    try:
        return Payload(_decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise PayloadRefused(400, "InvalidJson", f"The body is not valid JSON: {exc}") from exc


def _limit(length: int) -> None:
    if length > LIMIT_BYTES:
        raise PayloadRefused(
            413,
            "ContentLengthLimitExceeded",
            f"Maximum allowed content length: {LIMIT_BYTES} bytes (1 MB). Provided content length: {length} bytes.",
        )


def _unzip(body: bytes) -> bytes:
    """Decompress at most one byte more than the limit."""
    unzip = zlib.decompressobj(_GZIP)
    try:
        raw = unzip.decompress(body, LIMIT_BYTES + 1)
    except zlib.error as exc:
        raise PayloadRefused(400, "InvalidContentEncoding", f"The body is not gzip: {exc}") from exc
    if len(raw) <= LIMIT_BYTES and not unzip.eof:
        raise PayloadRefused(400, "InvalidContentEncoding", "The gzip body ends early")
    return raw
