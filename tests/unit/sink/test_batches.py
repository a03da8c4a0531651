"""Packing: in order, whole, under the limit."""

import gzip
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RowTooLarge
from shared.models import UNDATED, Outgoing
from shared.sink.batches import batches, pack


def row(body: bytes) -> Outgoing:
    return Outgoing("x", b"12345678", UNDATED, body, None)


bodies = st.lists(st.text(max_size=60).map(lambda text: json.dumps({"a": text}, ensure_ascii=False).encode()))


@given(bodies, st.integers(300, 1000))
def test_batches_keep_every_row_in_order_and_fit(rows: list[bytes], limit: int) -> None:
    """The batches' arrays, joined, are the rows; each is valid JSON of at most the limit, and none is empty."""
    packed = list(batches([row(body) for body in rows], limit_bytes=limit))
    assert [r.body for batch in packed for r in batch.rows] == rows
    for batch in packed:
        assert batch.rows and len(batch.body) <= limit
        assert json.loads(batch.body) == [json.loads(r.body) for r in batch.rows]


@given(bodies, st.integers(300, 1000))
def test_no_batch_could_have_taken_the_next_row(rows: list[bytes], limit: int) -> None:
    """Packing is greedy to the byte: commas and brackets are counted exactly."""
    packed = list(batches([row(body) for body in rows], limit_bytes=limit))
    for batch, following in itertools.pairwise(packed):
        assert len(batch.body) + 1 + len(following.rows[0].body) > limit


def test_a_row_that_fits_exactly_goes_alone_and_one_byte_more_is_refused() -> None:
    """The limit includes the two brackets."""
    assert len(next(batches([row(b"1" * 98)], limit_bytes=100)).body) == 100
    with pytest.raises(RowTooLarge, match="99 bytes"):
        list(batches([row(b"1" * 99)], limit_bytes=100))


def test_compressed_is_gzip_of_the_body() -> None:
    """What goes over the wire is what any gzip reader gives back."""
    batch = pack([row(b'{"a":1}'), row(b'{"a":2}')])
    assert gzip.decompress(batch.compressed()) == b'[{"a":1},{"a":2}]'


def test_halves_are_the_batch() -> None:
    """Splitting after a 413 neither drops nor reorders."""
    batch = pack([row(str(n).encode()) for n in range(5)])
    first, second = batch.halves()
    assert first.rows + second.rows == batch.rows and first.rows and second.rows
