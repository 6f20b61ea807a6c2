"""The seeded arrivals and the dial: one sequence everywhere, exact due times under every change."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.campaigns.arrivals import Dial, arrivals


def test_every_process_draws_the_same_arrivals() -> None:
    """A fresh interpreter with another hash seed draws the very same numbers."""
    code = (
        "from itertools import islice\nfrom harness.campaigns.arrivals import arrivals\nprint(list(islice(arrivals(7, (0.85, 0.15)), 500)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "99"})
    assert other.stdout.strip() == str(list(islice(arrivals(7, (0.85, 0.15)), 500)))


def test_a_worker_that_draws_arrivals_never_imports_numpy() -> None:
    """Workers start fast and stay small: the sequence needs the standard library alone."""
    code = "import sys, harness.campaigns.arrivals\nprint('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_unit_times_are_a_poisson_process_of_rate_one() -> None:
    """Gaps are exponential with mean 1 and independent of the one before."""
    times = [t for t, _ in islice(arrivals(1, (1.0,)), 20_000)]
    gaps = [b - a for a, b in pairwise([0.0, *times])]
    assert stats.kstest(gaps, "expon").pvalue > 0.01
    assert abs(stats.pearsonr(gaps[:-1], gaps[1:]).statistic) < 4 / math.sqrt(len(gaps))


def test_journeys_are_drawn_by_their_shares() -> None:
    """Shares of 85, 15 and 0 per cent give those counts, and a journey without a share is never drawn."""
    drawn = [j for _, j in islice(arrivals(3, (0.85, 0.15, 0.0)), 20_000)]
    counts = [drawn.count(j) for j in range(3)]
    assert counts[2] == 0
    assert abs(counts[1] - 3000) < 4 * math.sqrt(20_000 * 0.85 * 0.15)


def test_times_do_not_depend_on_the_journeys() -> None:
    """Adding a journey to a scenario leaves the moments of arrival where they were."""
    one = [t for t, _ in islice(arrivals(5, (1.0,)), 100)]
    two = [t for t, _ in islice(arrivals(5, (0.5, 0.5)), 100)]
    assert one == two


def test_another_stream_of_the_same_seed_is_independent() -> None:
    """Scanners do not arrive together with visitors."""
    a = [t for t, _ in islice(arrivals(5, (1.0,)), 2000)]
    b = [t for t, _ in islice(arrivals(5, (1.0,), stream="scanners"), 2000)]
    gaps = [[y - x for x, y in pairwise(each)] for each in (a, b)]
    assert abs(stats.pearsonr(*gaps).statistic) < 4 / math.sqrt(len(gaps[0]))


@pytest.mark.parametrize("shares", [(), (0.0,), (1.0, -0.1), (math.nan,)])
def test_shares_that_cannot_be_drawn_from_are_refused(shares: tuple[float, ...]) -> None:
    """No shares, only zeros, a negative one or no number."""
    with pytest.raises(ValueError, match="shares"):
        next(arrivals(1, shares))


def test_due_times_follow_a_dial_that_is_turned() -> None:
    """10/s for 5 s, then 50/s: the 60th unit is due 5.2 s after the start."""
    dial = Dial()
    assert dial.due(1.0) is None
    dial.set(100.0, 10.0)
    assert dial.due(60.0) == pytest.approx(106.0)
    dial.set(105.0, 50.0)
    assert dial.due(60.0) == pytest.approx(105.2)
    assert dial.due(20.0) == pytest.approx(102.0)
    dial.set(105.1, 0.0)
    assert dial.due(60.0) is None
    assert dial.integral(1000.0) == pytest.approx(55.0)
    dial.set(200.0, 5.0)
    assert dial.due(60.0) == pytest.approx(201.0)


def test_an_earlier_change_replaces_a_later_one() -> None:
    """A change announced for later is forgotten when another one takes effect before it."""
    dial = Dial()
    dial.set(0.0, 10.0)
    dial.set(5.0, 100.0)
    dial.set(4.0, 20.0)
    assert dial.rate(6.0) == 20.0
    assert dial.integral(6.0) == pytest.approx(80.0)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_a_rate_that_is_no_rate_is_refused(rate: float) -> None:
    """Negative, undefined and infinite rates are errors of the caller."""
    with pytest.raises(ValueError, match="dial"):
        Dial().set(0.0, rate)


rates = st.one_of(st.just(0.0), st.floats(1e-3, 500))
turns = st.lists(st.tuples(st.floats(0.01, 50), rates), min_size=1, max_size=12)


@given(turns, st.floats(0.001, 5000))
def test_due_and_integral_are_inverse(turned: list[tuple[float, float]], unit: float) -> None:
    """Whatever the dial did, at the moment when an arrival is due the integral is its unit time."""
    dial, t = Dial(), 0.0
    for after, rate in turned:
        t += after
        dial.set(t, rate)
    due = dial.due(unit)
    if due is None:
        assert turned[-1][1] == 0.0
        assert dial.integral(t + 1e6) <= unit
    else:
        assert dial.integral(due) == pytest.approx(unit, rel=1e-6, abs=1e-6)


@given(turns, st.floats(0.0, 100), rates)
def test_a_change_never_moves_what_was_due_before_it(turned: list[tuple[float, float]], later: float, rate: float) -> None:
    """Turning the dial at t leaves every due time before t as it was."""
    dial, t = Dial(), 0.0
    for after, value in turned:
        t += after
        dial.set(t, value)
    change = t + later
    past = [unit * dial.integral(change) for unit in (0.1, 0.5, 0.9)]
    before = [dial.due(unit) for unit in past]
    dial.set(change, rate)
    for unit, was in zip(past, before, strict=True):
        if was is not None and was < change:
            assert dial.due(unit) == pytest.approx(was)
