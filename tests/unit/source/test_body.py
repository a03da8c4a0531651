"""Bodies under a limit: nothing is believed that the answer says about itself."""

import gzip
import zlib

import httpx
import pytest

from shared.errors import SourceBusy, SourceIncoherent
from shared.source.response import PIECE_BYTES, pieces
from tests.unit.source.api import parts

GZIP = {"content-encoding": "gzip"}


def split(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


async def taken(response: httpx.Response, limit_bytes: int | None = None) -> bytes:
    """The body, with no piece of it larger than promised."""
    got = [piece async for piece in pieces(response, limit_bytes=limit_bytes)]
    assert all(len(piece) <= PIECE_BYTES for piece in got)
    return b"".join(got)


@pytest.mark.parametrize("length", [0, 1, 1000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7])
@pytest.mark.parametrize("size", [1, 100, 10**9])
async def test_a_gzip_body_comes_out_whole(length: int, size: int) -> None:
    """However long it is, and however the network cuts it."""
    body = bytes(number % 251 for number in range(length))
    response = httpx.Response(200, headers=GZIP, content=parts(*split(gzip.compress(body, mtime=0), size)))
    assert await taken(response) == body


async def test_a_body_without_encoding_is_passed_on() -> None:
    """Nothing is unpacked that was not packed."""
    assert await taken(httpx.Response(200, content=parts(b"ab", b"c")), limit_bytes=3) == b"abc"


async def test_an_empty_answer_may_call_itself_gzip() -> None:
    """No byte at all is an empty body."""
    assert await taken(httpx.Response(200, headers=GZIP, content=parts())) == b""


@pytest.mark.parametrize("length", ["2", "999999"])
async def test_the_limit_counts_what_arrives_and_not_what_was_announced(length: str) -> None:
    """A Content-Length, too small or too large, changes nothing."""
    headers = {"content-length": length}
    with pytest.raises(SourceIncoherent, match="larger than 5 bytes"):
        await taken(httpx.Response(200, headers=headers, content=parts(b"abc", b"def")), limit_bytes=5)
    assert await taken(httpx.Response(200, headers=headers, content=parts(b"abc")), limit_bytes=5) == b"abc"


async def test_a_gzip_bomb_ends_before_it_is_unpacked() -> None:
    """A gigabyte of zeros in a megabyte: refused after little more than the limit, with what is done about it."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(squeeze.compress(bytes(1 << 20)) for _ in range(1024)), squeeze.flush()])
    assert len(bomb) < 2 << 20
    seen = 0
    with pytest.raises(SourceIncoherent, match="a smaller page or window"):
        async for piece in pieces(httpx.Response(200, headers=GZIP, content=parts(bomb)), limit_bytes=1 << 20):
            seen += len(piece)
    assert seen <= 1 << 20


@pytest.mark.parametrize(
    "raw", [gzip.compress(b"x" * 5000, mtime=0)[:-9], gzip.compress(b"x" * 5000, mtime=0)[:-1], b"no gzip"]
)
async def test_a_cut_or_broken_gzip_body_may_be_asked_again(raw: bytes) -> None:
    """The end of the stream must be there: half a page is no page."""
    with pytest.raises(SourceBusy, match="broke off") as busy:
        await taken(httpx.Response(200, headers=GZIP, content=parts(raw)))
    assert busy.value.about_page


async def test_a_connection_that_breaks_in_the_body_may_be_asked_again() -> None:
    """The error says that it is about this page."""
    cut = parts(b"ab", then=httpx.ReadError("reset"))
    with pytest.raises(SourceBusy, match="ReadError") as busy:
        await taken(httpx.Response(200, content=cut))
    assert busy.value.about_page


async def test_an_encoding_nobody_asked_for_is_refused() -> None:
    """It could not be read, and unpacking it is not bounded."""
    with pytest.raises(SourceIncoherent, match="encoding zstd"):
        await taken(httpx.Response(200, headers={"content-encoding": "zstd"}, content=parts(b"x")))
