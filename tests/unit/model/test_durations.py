"""The texts a delay may have."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.durations import BadDuration, parse_duration

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("PT1H", HOUR),
        ("PT0.7S", 700),
        ("PT0,7S", 700),
        ("P1D", DAY),
        ("P1DT1H1M1S", DAY + HOUR + 61_000),
        ("pt10s", 10_000),
        ("PT1.5H", HOUR * 3 // 2),
        ("+PT1S", 1000),
        ("0s", 0),
        ("PT0S", 0),
        ("700ms", 700),
        ("0.7s", 700),
        ("1h30m", HOUR * 3 // 2),
        ("1h 30m", HOUR * 3 // 2),
        ("1 hour 30min", HOUR * 3 // 2),
        ("1 hour, 30 minutes", HOUR * 3 // 2),
        ("1 day", DAY),
        ("1w", 7 * DAY),
        ("P1W", 7 * DAY),
        ("2 weeks 1 day", 15 * DAY),
        ("5 minutes 3 sec", 303_000),
        ("90s", 90_000),
        (" 2 s ", 2000),
        ("1us", 1),
        ("1µs", 1),
        ("1500us", 2),
        ("1ns", 1),
        ("1.5h", HOUR * 3 // 2),
        ("0", 0),
    ],
)
def test_accepted(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


REFUSED = (
    """
500|1.5|-5s|-PT5S|5s ago|1 month|P1M|P1Y|banana|P|PT|P1DT|1s 1h|1s 1s|1.5h 3m|s|1 x|PT1|P1S|1h,|1h,3m|PT1.S|1..5s
1d 1w|1.5w|P1D1W|P1.5D|1.5d|1.1234567890s|inf s|٣s
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("text", ["", " ", "9" * 400 + "s", "1s\x00", *REFUSED])
def test_refused(text: str) -> None:
    with pytest.raises(BadDuration):
        parse_duration(text)


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with contextlib.suppress(BadDuration):
        assert parse_duration(text) >= 0


@given(st.integers(0, 10**6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_both_notations_agree(days: int, hours: int, minutes: int, seconds: int) -> None:
    expected = ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000
    assert parse_duration(f"P{days}DT{hours}H{minutes}M{seconds}S") == expected
    assert parse_duration(f"{days}d {hours}h {minutes}m {seconds}s") == expected
