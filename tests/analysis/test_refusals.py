"""The laws of failures against the servers they are laws of."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.refusals import posterior, refused
from tests.sim.servers import Bucket, exponential


def _share(load: float, burst: float, seed: int, count: int = 200_000) -> float:
    """The share that a simulated bucket of 200/s refuses."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.exponential(1 / (200 * load), count))
    bucket = Bucket(random, rate=200, burst=burst, service=exponential(0.02))
    return float((bucket.serve(times, np.zeros(count, np.int64), float(times[-1]))[3] != 0).mean())


@pytest.mark.parametrize(("load", "burst"), [(0.6, 3.0), (0.7, 3.5), (0.9, 6.0), (1.0, 10.0), (1.2, 4.5)])
def test_the_share_that_a_small_bucket_refuses_is_exact(load: float, burst: float):
    """Five loads and bursts, whole and broken ones, against 200,000 requests at random each: within 6 %."""
    assert float(refused(load, burst)) == pytest.approx(_share(load, burst, seed=5), rel=0.06)


def test_a_small_bucket_is_found_from_failures_that_came_too_often():
    """Failures of a bucket of four tokens, all seen above the limit where 1.5 % and more fail: drawn forty times, the posterior's middle
    lies within 2.5 % of the rate of 1 % on average, and nine in ten of its intervals hold it in at least three quarters of the draws."""
    random = np.random.default_rng(7)
    fine = np.linspace(0.3, 1.0, 2000)
    truth = 200 * float(np.interp(0.01, refused(fine, 4.0), fine))
    rates = truth * np.array([1.08, 1.15, 1.22])
    requests = np.full(3, 2000)
    middles, held = [], 0
    for _ in range(40):
        failures = random.binomial(requests, refused(rates / 200, 4.0))
        found = posterior(rates, requests.astype(float), failures.astype(float), spread=1.2, allowed=0.01)
        middles.append(found.quantile(0.5) / truth)
        held += found.quantile(0.05) <= truth <= found.quantile(0.95)
    assert np.mean(middles) == pytest.approx(1.0, abs=0.025)
    assert held >= 30
