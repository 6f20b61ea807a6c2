"""Histograms: what they may be wrong by, and when they say nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis import histogram


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(min_value=2e-4, max_value=500.0), min_size=1, max_size=300), st.sampled_from((0.5, 0.9, 0.95, 0.99)))
def test_a_quantile_is_within_one_per_cent_of_the_exact_one(seconds: list[float], share: float) -> None:
    """For any durations between 0.2 ms and 500 s."""
    exact = float(np.quantile(seconds, share, method="inverted_cdf"))
    found = float(histogram.quantiles(histogram.count(np.array(seconds)), (share,))[0])
    assert found == pytest.approx(exact, rel=histogram.ERROR * 1.001)


def test_adding_histograms_is_the_same_as_counting_everything_at_once() -> None:
    """So percentiles are never averaged over workers or seconds."""
    random = np.random.default_rng(1)
    parts = [random.lognormal(-2, 1, 500) for _ in range(5)]
    summed = sum(histogram.count(p) for p in parts)
    assert np.array_equal(summed, histogram.count(np.concatenate(parts)))


def test_a_stack_of_histograms_is_read_at_once() -> None:
    """Shape (steps, BUCKETS) in, shape (steps, shares) out, absent where a step had nothing."""
    stack = np.stack([histogram.count(np.full(100, 0.1)), np.zeros(histogram.BUCKETS, np.int64)])
    found = histogram.quantiles(stack, (0.5, 0.95))
    assert found.shape == (2, 2)
    assert found[0] == pytest.approx(0.1, rel=0.01)
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize(("share", "needed"), [(0.95, 59), (0.99, 299), (0.999, 2995)])
def test_a_percentile_is_named_only_from_enough_requests(share: float, needed: int) -> None:
    """The numbers of the textbook: 59, 299, 2 995."""
    assert histogram.enough(share) == needed
    assert histogram.quantile(histogram.count(np.full(needed - 1, 0.2)), share) is None
    assert histogram.quantile(histogram.count(np.full(needed, 0.2)), share) is not None


def test_requests_that_fare_alike_count_for_fewer() -> None:
    """With an overdispersion of 4 a percentile needs four times as many."""
    counts = histogram.count(np.full(100, 0.2))
    assert histogram.quantile(counts, 0.95) is not None
    assert histogram.quantile(counts, 0.95, overdispersion=4) is None


def test_the_interval_of_a_percentile_covers_the_truth_nineteen_times_in_twenty() -> None:
    """Order statistics, seeded: 300 samples of 400 exponential durations."""
    random = np.random.default_rng(7)
    truth, hits = -np.log(0.05), 0
    for _ in range(300):
        found = histogram.quantile(histogram.count(random.exponential(1.0, 400)), 0.95)
        assert found is not None
        hits += found[1] * 0.99 <= truth <= found[2] * 1.01
    assert 0.92 <= hits / 300 <= 0.99


def test_a_measurement_that_got_lost_does_not_look_fast() -> None:
    """Not-a-number and infinity count as the longest."""
    counts = histogram.count(np.array([np.nan, np.inf, 1e9]))
    assert counts[-1] == 3
