"""Numbers as people read them: rounded to what their interval supports, times as spoken, never a false digit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.quantities import (
    Clock,
    a_minute,
    at_least,
    grouped,
    milliseconds,
    number,
    of_peak,
    percent,
    size,
    span,
    step_for,
    times,
    wait,
)


def test_a_rate_is_rounded_to_its_interval() -> None:
    """About a tenth of the interval is the finest step that is shown, for all three numbers alike."""
    told = a_minute(56.7, 54.1, 59.3)
    assert (told.value, told.both) == ("3,400", "3,250 to 3,560") or (told.value, told.both) == ("3,400", "3,250 to 3,560")
    assert a_minute(3.3333).value == "200"
    assert a_minute(0.4, 0.35, 0.46).both == "21 to 28"


@given(st.floats(0.01, 1e5), st.floats(0.0, 0.5))
def test_rounding_never_moves_a_number_by_more_than_half_a_step(value: float, width: float) -> None:
    """What is printed, read back, lies within half a step of what was measured."""
    low, high = value * (1 - width), value * (1 + width)
    step = step_for(low, high)
    assert abs(float(grouped(value, step).replace(",", "")) - value) <= step / 2 + 1e-9 * value
    assert step <= max((high - low) / 5, 10 ** (math.floor(math.log10(high)) - 2)) * 1.0001


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "not measured"),
        (40, "under 0.1 seconds"),
        (320, "0.3 seconds"),
        (1000, "1 second"),
        (2140, "2.1 seconds"),
        (14_200, "14 seconds"),
    ],
)
def test_a_wait_is_told_in_seconds(ms: float | None, text: str) -> None:
    """People feel tenths of a second, and nothing finer."""
    assert wait(ms) == text


def test_less_than_is_never_followed_by_under() -> None:
    """A wait that nobody feels is told as a tenth of a second."""
    assert at_least(12) == "0.1 seconds"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "not measured"),
        (0, "0%"),
        (0.00002, "under 0.01%"),
        (0.0042, "0.42%"),
        (0.034, "3.4%"),
        (0.05, "5%"),
        (0.41, "41%"),
        (0.9991, "over 99%"),
        (1, "100%"),
    ],
)
def test_a_share_keeps_two_digits(share: float | None, text: str) -> None:
    """Small shares are not rounded to nothing, large ones not to all."""
    assert percent(share) == text


def test_spans_counts_sizes_and_multiples() -> None:
    """The small words of the page."""
    assert [span(s) for s in (1, 45, 480, 6000, 90_000, 200_000)] == [
        "1 second",
        "45 seconds",
        "8 minutes",
        "1 hour 40 minutes",
        "25 hours",
        "2 days 8 hours",
    ]
    assert [number(v) for v in (0, 7, 12_345, 0.1234)] == ["0", "7", "12,300", "0.123"]
    assert [size(b) for b in (12, 1_310, 48_200, 2_400_000)] == ["12 bytes", "1.3 KB", "48 KB", "2.4 MB"]
    assert [of_peak(x) for x in (0.712, 0.998, 1.0, 1.04, 1.66)] == [
        "71% of your peak",
        "99% of your peak",
        "1.00 times your peak",
        "1.04 times your peak",
        "1.7 times your peak",
    ]
    assert [times(x) for x in (1.62, 0.98, 2.0, 11.7)] == ["1.6 times", "0.98 times", "2 times", "12 times"]
    assert [milliseconds(x) for x in (None, 3.21, 212.4, 2_100, 14_000)] == ["–", "3.2 ms", "212 ms", "2.10 s", "14.0 s"]


def test_the_clock_speaks_the_campaigns_own_time() -> None:
    """Clock times where the scenario names an hour, in its own zone and over midnight; else time from the start."""
    mail = Clock.of("2026-12-01T23:58:00+01:00[Europe/Paris]", "email_blast")
    assert mail.at(240) == "00:02 on Wednesday"
    assert mail.between(-60, 60) == "from 23:57 to 23:59"
    assert mail.between(0, 10) == "around 23:58"
    assert mail.between(240, 300) == "from 00:02 to 00:03 on Wednesday"
    assert mail.between(240, 240 + 86_400) == "from 00:02 on Wednesday to 00:02 on Thursday"
    assert mail.day == "Tuesday 1 December 2026"
    post = Clock.of(None, "viral_spike")
    assert (post.when(0), post.when(300), post.when(-300)) == ("at the post", "5 minutes after the post", "5 minutes before the post")
