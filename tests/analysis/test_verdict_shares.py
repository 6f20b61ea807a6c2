"""Shares and their intervals: what is called kept or broken is so, also where requests fare alike."""

import numpy as np
import pytest

from harness.analysis.shares import kept, overdispersion, wilson


def batches(random: np.random.Generator, share: float, *, count: int = 20, size: int = 100, alike: float = 0.0) -> np.ndarray:
    """Bad requests of each half second; `alike` is the spread of the share from batch to batch, against its mean."""
    shares = np.clip(random.normal(share, alike * share, count), 0, 1)
    return random.binomial(size, shares)


def test_wilson_is_the_textbook_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20, at 95 %."""
    assert wilson(81, 263, z=1.959964) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20, z=1.959964) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_a_broken_promise_is_called_kept_at_most_once_in_twenty(alike: float) -> None:
    """The truth at 6 % against a limit of 5 %, and at 4 %: two thousand levels each."""
    random = np.random.default_rng(5)
    size = np.full(20, 100)
    wrongly_kept = sum(kept(batches(random, 0.06, alike=alike), size, 0.05) == "yes" for _ in range(2000))
    wrongly_broken = sum(kept(batches(random, 0.04, alike=alike), size, 0.05) == "no" for _ in range(2000))
    assert wrongly_kept <= 100
    assert wrongly_broken <= 100


def test_clear_cases_are_called() -> None:
    random = np.random.default_rng(6)
    size = np.full(20, 100)
    assert kept(batches(random, 0.01), size, 0.05) == "yes"
    assert kept(batches(random, 0.15), size, 0.05) == "no"


def test_no_error_in_few_requests_does_not_prove_fewer_than_one_in_a_hundred() -> None:
    """It takes some 270 (the rule of three, at 95 % on one side)."""
    assert kept(np.zeros(10, int), np.full(10, 20), 0.01) == "unclear"
    assert kept(np.zeros(10, int), np.full(10, 30), 0.01) == "yes"


def test_overdispersion_is_one_for_independent_requests_and_grows_with_their_likeness() -> None:
    """Averages over many runs; too few batches count as two."""
    random = np.random.default_rng(7)
    size = np.full(20, 100)
    found = [np.mean([overdispersion(batches(random, 0.05, alike=a), size) for _ in range(300)]) for a in (0.0, 0.5, 1.0)]
    assert 1.0 <= found[0] < 1.2
    assert found[0] < found[1] < found[2]
    assert overdispersion(np.array([1, 2]), np.array([10, 10])) == 2.0
