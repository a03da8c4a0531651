"""Pages that a strict decoder refuses are read all the same, and pages that are none are refused in plain words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SourceBusy, SourceIncoherent
from shared.rows.sanitize import DEPTH_LIMIT, sanitize, text_of
from shared.streams.activity.endpoint import read_page
from shared.streams.activity.fold import activity_key, fold

from .golden_pairs import CARRIAGE
from .samples import values

GOOD = b'{"id":"activity_01Good","type":"claude_chat_viewed","n":1.5}'


def page(*items: bytes, rest: bytes = b'"has_more":false,"first_id":"f","last_id":"l"') -> bytes:
    return b'{"data":[' + b",".join(items) + b"]," + rest + b"}"


@pytest.mark.parametrize(
    ("value", "text", "places"),
    [
        (rb'"\ud800x"', "\\ud800x", ("/v",)),
        (rb'"\udc00\ud83d\ude00"', "\\udc00\U0001f600", ("/v",)),
        (b"9" * 5000, "9" * 5000, ("/v",)),
        (b"1e400", "1e400", ("/v",)),
        (b"NaN", "NaN", ("/v",)),
        (b"-Infinity", "-Infinity", ("/v",)),
        (b'"\xff"', "\\udcff", ("/v",)),
        (rb'{"\ud800":1}', {"\\ud800": 1}, ("/v/\\ud800",)),
    ],
)
def test_an_odd_value_becomes_text_and_its_neighbors_stay(value: bytes, text: Any, places: tuple[str, ...]) -> None:
    """One odd value costs nothing but itself: it is text now, its place is told, its neighbors are as ever."""
    read = read_page(page(GOOD, b'{"id":"activity_01Odd","v":' + value + b"}", GOOD))
    assert read.data == [json.loads(GOOD), {"id": "activity_01Odd", "v": text}, json.loads(GOOD)]
    assert read.escaped == {1: places}
    assert (read.has_more, read.last_id) == (False, "l")
    json.dumps(read.data, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("value", "text", "place"),
    [
        (b"18446744073709551616", "18446744073709551616", "/v"),
        (b"9223372036854775808", "9223372036854775808", "/v"),
        (b"-9223372036854775809", "-9223372036854775809", "/v"),
        (b'{"a/b":[1,9223372036854775808]}', {"a/b": [1, "9223372036854775808"]}, "/v/a~1b/1"),
    ],
)
def test_whole_numbers_no_long_holds_are_left_to_fold(value: bytes, text: Any, place: str) -> None:
    """A page is not read twice for a number that is merely large: it is exact in the page and text in the row."""
    read = read_page(page(b'{"id":"activity_01Odd","v":' + value + b"}"))
    assert read.data == [{"id": "activity_01Odd", "v": json.loads(value)}] and read.escaped == {}
    row = fold(read.data[0], CARRIAGE).row
    assert row["Details"] == {"v": text} and row["Handling"]["escaped"] == [place]


def test_an_activity_without_id_has_one_key_whatever_is_odd_in_it() -> None:
    """What the ledger calls it and what its row calls it are the same."""
    read = read_page(page(b'{"v":9223372036854775808,"w":9007199254740993}'))
    assert fold(read.data[0], CARRIAGE).row["ActivityId"] == activity_key(read.data[0])


@pytest.mark.parametrize("number", [b"9223372036854775807", b"-9223372036854775808", b"1234567890.1234567890123456789"])
def test_long_numbers_that_fit_are_numbers(number: bytes) -> None:
    """Many digits alone are nothing odd."""
    read = read_page(page(b'{"v":' + number + b"}"))
    assert read.data == [{"v": json.loads(number)}]
    assert read.escaped == {}


def nested(levels: int) -> bytes:
    return b'{"v":' + b'{"a":[' * (levels // 2) + b"1" + b"]}" * (levels // 2) + b"}"


@pytest.mark.parametrize(("levels", "escaped"), [(3_000, ([], [1])), (100_000, ([1],))])
def test_any_depth_is_read(levels: int, escaped: tuple[list[int], ...]) -> None:
    """Depth that no decoder reads costs only its own value, which is text below the limit.

    Where that begins is the Python version's: 3,000 levels are too many for 3.11, not for 3.13.
    """
    read = read_page(page(GOOD, nested(levels)))
    assert read.data[0] == json.loads(GOOD)
    assert list(read.escaped) in escaped
    assert json.dumps(read.data[1]).count("a") == levels // 2


def test_depth_that_decoders_bear_is_left_to_fold() -> None:
    """A page is not read twice for a value that is merely deep."""
    read = read_page(page(nested(300)))
    assert read.data == [json.loads(nested(300))]
    assert read.escaped == {}


def test_a_control_character_is_read() -> None:
    """A raw line break in a string is not JSON, and no reason to lose a page."""
    assert read_page(page(b'{"v":"a\nb"}')).data == [{"v": "a\nb"}]


def test_a_byte_order_mark_is_read() -> None:
    """Some proxies put one first."""
    assert read_page(b"\xef\xbb\xbf" + page(GOOD)).data == [json.loads(GOOD)]


@pytest.mark.parametrize("odd", [b"", rb',{"v":"\ud800"}'])
@pytest.mark.parametrize(
    ("rest", "has_more"),
    [(b'"has_more":true', True), (b'"has_more":false', False), (b'"has_more":null', None), (b'"other":1', None)],
)
def test_a_missing_has_more_is_not_false(odd: bytes, rest: bytes, has_more: bool | None) -> None:
    """The page that does not say whether there is more is told from the one that says no, by both readers."""
    read = read_page(page(GOOD + odd, rest=rest))
    assert read.has_more is has_more
    assert read.last_id is None


@pytest.mark.parametrize("rest", [b'"has_more":"yes"', b'"has_more":1,"last_id":["x"]'])
def test_an_envelope_of_other_types_says_nothing(rest: bytes) -> None:
    """Words that are no booleans and cursors that are no strings count as missing."""
    read = read_page(page(GOOD, rest=rest))
    assert (read.data, read.has_more, read.last_id) == ([json.loads(GOOD)], None, None)


def test_items_that_are_no_objects_are_handed_on() -> None:
    """The caller sets them aside; the reader does not drop them."""
    assert read_page(page(b'"text"', b"null", b"[1]", b"7")).data == ["text", None, [1], 7]


@pytest.mark.parametrize("body", [b"", b"{", page(GOOD)[:-1], page(GOOD)[:40], page(GOOD) + b"x", b"<html>busy</html>"])
def test_a_cut_page_is_asked_for_again(body: bytes) -> None:
    """JSON that breaks off is the connection's fault: nothing of it is used."""
    with pytest.raises(SourceBusy, match="ended early"):
        read_page(body)


@given(cut=st.integers(0, 300))
def test_no_beginning_of_a_page_is_taken_for_a_page(cut: int) -> None:
    """Wherever a page breaks off, the reader notices."""
    body = page(*[GOOD] * 4)
    with pytest.raises(SourceBusy):
        read_page(body[: min(cut, len(body) - 1)])


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"data":null}', b'{"error":{"type":"x"}}', b'{"data":{}}'])
def test_json_that_is_no_page_is_refused(body: bytes) -> None:
    """An answer without a list of activities is not an empty page."""
    with pytest.raises(SourceIncoherent, match="no page"):
        read_page(body)


@given(value=values)
def test_what_is_not_odd_is_not_touched(value: Any) -> None:
    """`sanitize` copies plain values as they are."""
    assert sanitize(value) == (value, ())


@given(value=values)
def test_text_of_is_json(value: Any) -> None:
    """The text that stands for a deep value can be parsed back to it."""
    assert json.loads(text_of(value)) == value


def test_depth_is_cut_at_the_limit() -> None:
    """The first level too many becomes its JSON text."""
    value: Any = [1, {"a": None}]
    for _ in range(DEPTH_LIMIT):
        value = [value]
    sanitized, places = sanitize(value)
    assert places == ("/0" * DEPTH_LIMIT,)
    for _ in range(DEPTH_LIMIT):
        sanitized = sanitized[0]
    assert sanitized == '[1,{"a":null}]'


def test_an_escaped_key_displaces_no_other() -> None:
    """A key made of half a pair and a key spelled like its escape stay two."""
    sanitized, places = sanitize({"\ud800": 1, "\\ud800": 2})
    assert sanitized == {"\\ud800~": 1, "\\ud800": 2}
    assert places == ("/\\ud800~0",)
