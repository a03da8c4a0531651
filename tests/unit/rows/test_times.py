"""Every spelling of a moment, and the way back for the two the API uses."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rows.times import event_time, spelling, utc_text


@pytest.mark.parametrize(
    ("created_at", "text", "reversible"),
    [
        ("2026-10-05T09:14:03.120934Z", "2026-10-05T09:14:03.120934Z", True),
        ("2026-10-05T09:14:03Z", "2026-10-05T09:14:03.000000Z", True),
        ("2026-10-05T09:14:03.000000Z", "2026-10-05T09:14:03.000000Z", False),
        ("2026-10-05T09:14:03.12Z", "2026-10-05T09:14:03.120000Z", False),
        ("2026-10-05T09:14:03.123456789Z", "2026-10-05T09:14:03.123456Z", False),
        ("2026-10-05T09:14:03+00:00", "2026-10-05T09:14:03.000000Z", False),
        ("2026-10-05T11:14:03.5+02:00", "2026-10-05T09:14:03.500000Z", False),
        ("2026-10-05T09:14:03", "2026-10-05T09:14:03.000000Z", False),
        ("2026-10-05t09:14:03z", "2026-10-05T09:14:03.000000Z", False),
        ("2026-10-05 09:14:03.120934Z", "2026-10-05T09:14:03.120934Z", False),
        ("2026-W41-1T09:14:03.120934Z", "2026-10-05T09:14:03.120934Z", False),
        ("20261005T091403.12345678901Z", "2026-10-05T09:14:03.123456Z", False),
    ],
)
def test_spellings(created_at: str, text: str, reversible: bool) -> None:
    """The moment is the same in every spelling; only the API's own two are said to come back."""
    assert event_time(created_at) == (text, reversible)
    assert not reversible or spelling(text) == created_at


@pytest.mark.parametrize(
    "nonsense", ["", "soon", "2026-13-01T00:00:00Z", "2026-10-05T09:14:60Z", "9999-12-31T23:59:59-01:00", 7, None]
)
def test_no_time(nonsense: object) -> None:
    """What is no moment, or none that can be written in UTC, is None."""
    assert event_time(nonsense) is None


@given(moment=st.datetimes(timezones=st.just(UTC)), cut=st.sampled_from([0, 1, 3]))
def test_our_own_text_comes_back(moment: datetime, cut: int) -> None:
    """The table's text is read again to the microsecond, also with the zeros at its end dropped as Kusto does."""
    text = utc_text(moment)
    assert event_time(text) == (text, moment.microsecond != 0)
    shortened = text[: -1 - cut] + "Z" if text[-1 - cut : -1] == "0" * cut else text
    assert spelling(shortened) == spelling(text)
    assert event_time(spelling(text)) == (text, True)


@given(moment=st.datetimes(), hours=st.integers(-14, 14))
def test_an_offset_is_taken_into_account(moment: datetime, hours: int) -> None:
    """A moment with an offset is that of its UTC."""
    spelled = f"{moment.isoformat(timespec='microseconds')}{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    try:
        wanted = utc_text((moment - timedelta(hours=hours)).replace(tzinfo=UTC))
    except OverflowError:
        assert event_time(spelled) is None
    else:
        assert event_time(spelled) == (wanted, False)
