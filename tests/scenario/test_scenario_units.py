"""Quantities are read as people mean them, refused where they could be misread, and written back the same."""

import math
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from harness.scenario import units
from harness.scenario.instant import read_instant
from harness.scenario.reading import (
    Money,
    read_count,
    read_duration,
    read_factor,
    read_money,
    read_percent,
    read_rate,
    read_spread,
)
from harness.scenario.spread import Spread, duration_text

READ = [
    (read_count, "20,000", 20_000),
    (read_count, "20000", 20_000),
    (read_count, "20 000", 20_000),
    (read_count, "20\u00a0000", 20_000),
    (read_count, "2 million", 2_000_000),
    (read_count, "1.5 million", 1_500_000),
    (read_count, "250k", 250_000),
    (read_count, "0", 0),
    (read_duration, "45 min", 2700.0),
    (read_duration, "1 h 30 min", 5400.0),
    (read_duration, "1h30m", 5400.0),
    (read_duration, "1 hour and 30 minutes", 5400.0),
    (read_duration, "half an hour", 1800.0),
    (read_duration, "an hour", 3600.0),
    (read_duration, "800 ms", 0.8),
    (read_duration, "1.5 s", 1.5),
    (read_duration, "2 d", 172_800.0),
    (read_duration, "0", 0.0),
    (read_percent, "40%", 0.4),
    (read_percent, "2.9 %", 0.029),
    (read_percent, "0.1%", 0.001),
    (read_percent, "100%", 1.0),
    (read_percent, "3 percent", 0.03),
    (read_percent, "3 per cent", 0.03),
    (read_factor, "0.3", 0.3),
    (read_factor, "30%", 0.3),
    (read_money, "60 GBP", Money(amount=60, currency="GBP")),
    (read_money, "£60", Money(amount=60, currency="GBP")),
    (read_money, "60 €", Money(amount=60, currency="EUR")),
    (read_money, "usd 1,200.50", Money(amount=1200.5, currency="USD")),
    (read_rate, "50/s", 50.0),
    (read_rate, "50 per second", 50.0),
    (read_rate, "3,000 a minute", 50.0),
    (read_rate, "180,000 mails an hour", 50.0),
    (read_rate, "50 new visitors / s", 50.0),
    (read_spread, "5 s to 20 s", Spread.uniform(5, 20)),
    (read_spread, "5 to 20 s", Spread.uniform(5, 20)),
    (read_spread, "5-20s", Spread.uniform(5, 20)),
    (read_spread, "5 – 20 s", Spread.uniform(5, 20)),
    (read_spread, "between 5 s and 1 min", Spread.uniform(5, 60)),
    (read_spread, "20 min", Spread.fixed(1200)),
    (read_spread, "1 hour and 30 minutes", Spread.fixed(5400)),
    (read_spread, "about 8 s", Spread.about(8)),
    (read_spread, "~8 s", Spread.about(8)),
]


@pytest.mark.parametrize(("read", "text", "value"), READ, ids=[f"{read.__name__}-{text}" for read, text, _ in READ])
def test_a_quantity_is_read_as_people_mean_it(read, text, value) -> None:
    """Thousands, units, signs and words in the forms that people use."""
    assert read(text) == pytest.approx(value) if isinstance(value, float) else read(text) == value


REFUSED = [
    (read_count, "20.000", "write 20,000 or 20"),
    (read_count, "2,5 million", "write 2.5"),
    (read_count, "20,00", "write 20.00"),
    (read_count, "0755", "whole number"),  # octal in YAML 1.1
    (read_count, "12e3", "whole number"),
    (read_count, "0x1F", "whole number"),
    (read_count, "1_000", "whole number"),
    (read_count, "1.5", "whole number"),
    (read_count, "-3", "whole number"),
    (read_count, "lots", "whole number"),
    (read_count, True, "whole number"),
    (read_count, math.nan, "whole number"),
    (read_count, math.inf, "whole number"),
    (read_duration, "90", "write 90 s, 90 min or 90 ms"),
    (read_duration, "1:30", "write 1 h 30 min or 1 min 30 s"),
    (read_duration, "1.500 ms", "write 1,500 or 1.5"),
    (read_duration, "0,125 s", "write 0.125"),
    (read_duration, "30 min 1 h", "not a duration"),
    (read_duration, "1 h 30", "not a duration"),
    (read_duration, "-5 s", "not a duration"),
    (read_duration, "5 parsecs", "not a duration"),
    (read_duration, "", "not a duration"),
    (read_duration, None, "not a duration"),
    (read_duration, ["5 s"], "not a duration"),
    (read_duration, -1.0, "cannot be negative"),
    (read_percent, "0.4", "write 40% or 0.4%"),
    (read_percent, "40", "write 40%"),
    (read_percent, "2,9%", "write 2.9"),
    (read_percent, "140%", "between 0% and 100%"),
    (read_percent, "-4%", "between 0% and 100%"),
    (read_percent, "most", "write for example 40%"),
    (read_percent, 1.4, "between 0 and 1"),
    (read_money, "60", "write 60 GBP"),
    (read_money, "sixty pounds", "write for example 60 GBP"),
    (read_money, "1.200,50 EUR", "write 1,200.50"),
    (read_rate, "50", "write 50/s"),
    (read_rate, "often", "write for example 50/s"),
    (read_spread, "20 s to 5 s", "write 5 s to 20 s"),
    (read_spread, "5 s to 20", "write 20 s"),
    (read_spread, "about 0 s", "no length"),
    (read_spread, "about 5 s to 9 s", "not a duration"),
    (read_instant, "2026-12-03 15:00", "names no time zone"),
    (read_instant, "2026-12-03", "not a date and time"),
    (read_instant, "03/12/2026 15:00 UTC", "not a date and time"),
    (read_instant, "2026-13-03 15:00 UTC", "does not exist"),
    (read_instant, "2026-12-03 25:00 UTC", "does not exist"),
    (read_instant, "2026-12-03 15:00 Europe/Lodnon", "Europe/London"),
    (read_instant, "2026-12-03 15:00 +25:00", "not an offset"),
    (read_instant, "2026-12-03 15:00 ../../etc/passwd", "not a time zone"),
    (read_instant, datetime(2026, 12, 3, 15), "names no time zone"),
    (read_instant, "2026-03-29 01:30 Europe/London", "go forward"),
    (read_instant, "2026-10-25 01:30 Europe/London", "comes twice"),
]


@pytest.mark.parametrize(("read", "value", "says"), REFUSED, ids=[f"{read.__name__}-{value}" for read, value, _ in REFUSED])
def test_what_could_be_misread_is_refused_with_a_remedy(read, value, says) -> None:
    """Nothing is guessed: the message says what to write instead."""
    with pytest.raises(PydanticCustomError) as error:
        read(value)
    assert says in error.value.message()


def test_a_clock_time_keeps_its_zone() -> None:
    """London in December is UTC, in July one hour ahead; an offset and Z are zones too."""
    assert read_instant("2026-12-03 15:00 Europe/London") == datetime(2026, 12, 3, 15, tzinfo=UTC)
    assert read_instant("2026-07-03 15:00 Europe/London") == datetime(2026, 7, 3, 14, tzinfo=UTC)
    assert read_instant("2026-12-03T15:00:00Z") == datetime(2026, 12, 3, 15, tzinfo=UTC)
    assert read_instant("2026-12-03 9:00 -05:00") == datetime(2026, 12, 3, 14, tzinfo=UTC)
    assert read_instant("2026-12-03 15:00 UTC+1").utcoffset() == timedelta(hours=1)


@given(st.integers(0, 10**12))
def test_counts_survive_the_way_through_text(count: int) -> None:
    """With or without commas."""
    assert read_count(f"{count:,}") == read_count(str(count)) == count


@given(st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000))
def test_durations_survive_the_way_through_text(seconds: float) -> None:
    """`duration_text` says exactly what `read_duration` reads."""
    assert read_duration(duration_text(seconds)) == seconds


@given(st.floats(1e-6, 1e6))
def test_odd_durations_survive_it_closely(seconds: float) -> None:
    """Fractions of a millisecond are kept to a thousand-millionth of a second."""
    assert read_duration(duration_text(seconds)) == pytest.approx(seconds, abs=2e-9)


@given(st.integers(0, 100_000).map(lambda part: part / 1000))
def test_percentages_survive_it(percent: float) -> None:
    """From 0% to 100% in thousandths, where the text has one reading only."""
    text = f"{percent:g}%"
    if not re.search(r"[1-9]\d*\.\d{3}%", text):
        assert read_percent(text) == pytest.approx(percent / 100, abs=1e-12)


spreads = st.one_of(
    st.integers(1, 10**7).map(lambda ms: Spread.fixed(ms / 1000)),
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(lambda two: Spread.uniform(min(two) / 1000, max(two) / 1000)),
    st.integers(1, 10**7).map(lambda ms: Spread.about(ms / 1000)),
)


@given(spreads)
def test_spreads_survive_it(spread: Spread) -> None:
    """A spread is written as a person would, and read back the same."""
    assert read_spread(str(spread)) == spread


@given(spreads, st.integers(0, 2**32))
def test_a_draw_lies_within_the_bounds_and_a_rest_within_a_draw(spread: Spread, seed: int) -> None:
    """Also for the residual life: nobody has more left than the longest visit."""
    source = random.Random(seed)
    assert spread.low <= spread.sample(source) <= spread.high
    assert 0 <= spread.residual(source) <= spread.high


@pytest.mark.parametrize("text", ["8 s", "5 s to 20 s", "0 s to 20 s", "about 8 s", "about 20 min"])
def test_draws_have_the_mean_that_is_said_and_rests_that_of_the_residual_life(text: str) -> None:
    """100,000 draws: the mean within 2 %, and E[rest] = E[X²] / 2E[X] (renewal theory), both against the draws themselves."""
    spread, source = read_spread(text), random.Random(7)
    draws = [spread.sample(source) for _ in range(100_000)]
    rests = [spread.residual(source) for _ in range(100_000)]
    mean = math.fsum(draws) / len(draws)
    assert mean == pytest.approx(spread.mean, rel=0.02)
    assert math.fsum(rests) / len(rests) == pytest.approx(math.fsum(x * x for x in draws) / len(draws) / 2 / mean, rel=0.03)


@pytest.mark.parametrize("text", ["5 s to 20 s", "about 8 s"])
def test_rests_have_the_density_of_the_residual_life(text: str) -> None:
    """P(rest ≤ x) = ∫₀ˣ (1 − F) / mean, at five places, against the empirical F of independent draws."""
    spread, source = read_spread(text), random.Random(11)
    draws = sorted(spread.sample(source) for _ in range(40_000))
    rests = [spread.residual(source) for _ in range(40_000)]
    for x in (1.0, 3.0, 6.0, 12.0, 19.0):
        expected = math.fsum(min(draw, x) for draw in draws) / math.fsum(draws)
        assert sum(rest <= x for rest in rests) / len(rests) == pytest.approx(expected, abs=0.012)


def test_about_is_the_lognormal_of_think_times() -> None:
    """Median 8 s, sigma 1.1, never above 2 min: the mean is a little below the uncut 14.65 s."""
    about = read_spread("about 8 s")
    assert (about.kind, about.median, about.sigma, about.cap) == ("lognormal", 8.0, 1.1, 120.0)
    assert about.draw(0.5) == pytest.approx(8.0)
    assert 14.0 < about.mean < 14.65


WRITTEN = [
    (units.Count, read_count),
    (units.Duration, read_duration),
    (units.Percent, read_percent),
    (units.Price, read_money),
    (units.Rate, read_rate),
    (units.Length, read_spread),
    (units.Factor, read_factor),
    (units.Instant, read_instant),
]


@pytest.mark.parametrize(("unit", "read"), WRITTEN, ids=[read.__name__ for _, read in WRITTEN])
def test_the_schema_of_a_unit_takes_whatever_its_reader_takes(unit, read) -> None:
    """An editor never underlines a value that the loader would read; its examples are readable too."""
    schema = TypeAdapter(unit).json_schema()
    patterns = [part["pattern"] for part in [schema, *schema.get("anyOf", [])] if "pattern" in part]
    for text in [text for reader, text, _ in READ if reader is read and isinstance(text, str)]:
        if "\u00a0" not in text and text != "0":
            assert any(re.search(pattern, text) for pattern in patterns), text
    for example in schema["examples"]:
        read(example)
        assert any(re.search(pattern, example) for pattern in patterns), example


def test_from_python_plain_numbers_are_seconds_and_shares() -> None:
    """The vocabulary can be built in code without writing text."""
    assert (read_duration(90.0), read_percent(0.4), read_count(20_000), read_rate(5)) == (90.0, 0.4, 20_000, 5.0)
    assert read_spread(8) == Spread.fixed(8.0)
