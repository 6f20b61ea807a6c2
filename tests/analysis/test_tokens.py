"""A token bucket is found from the requests that it refused."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.meter import Meter
from harness.analysis.search.profile import QUICK
from harness.analysis.search.refusals import load_of, refused
from harness.analysis.search.tokens import Tokens
from harness.engine.wire import Outcome
from tests.sim.rig import Rig, run
from tests.sim.servers import Always, Bucket, Pool, Server, exponential


def _watched(server: Server, rates: list[float], seed: int) -> Tokens:
    """Two seconds at each rate."""
    rig, meter = Rig(server, np.random.default_rng(seed)), Meter(1, (0.5,))
    tokens = Tokens(meter, np.ones(1, bool))
    for rate in rates:
        for _ in range(4):
            meter.read(rig.step(rate))
            tokens.watch()
    return tokens


@pytest.mark.parametrize(("limit", "burst"), [(220.0, 50.0), (90.0, 4.6), (400.0, 12.0)])
def test_limit_and_burst_are_found(limit: float, burst: float):
    """Half a minute around the limit: the limit to half a percent, the burst to a tenth."""
    server = Bucket(np.random.default_rng(1), rate=limit, burst=burst, service=exponential(0.02))
    found = _watched(server, [limit * share for share in (0.5, 0.8, 1.1, 0.9, 1.05, 0.95) * 3], 1).bucket
    assert found is not None
    assert found.limit == pytest.approx(limit, rel=0.005) and found.burst == pytest.approx(burst, rel=0.1)


def test_a_bucket_far_from_where_it_was_first_looked_for_is_found():
    """A small bucket whose first refusals come far below its limit."""
    server = Bucket(np.random.default_rng(4), rate=300.0, burst=3.0, service=exponential(0.02))
    found = _watched(server, [60.0] * 6 + [120.0, 180.0, 240.0, 150.0] * 3, 4).bucket
    assert found is not None and found.limit == pytest.approx(300.0, rel=0.05)


def test_what_refuses_by_chance_is_no_bucket():
    """A cap on connections and a bounded line, four draws each: none is taken for a bucket."""
    for seed in range(4):
        random = np.random.default_rng(seed)
        capped = Pool(random, workers=16, service=exponential(0.045), cap=24)
        bounded = Pool(random, workers=8, service=exponential(0.040), room=12)
        for server in (capped, bounded):
            limit = 300.0 if server is capped else 190.0
            assert _watched(server, [limit * share for share in (0.5, 0.8, 1.0, 1.1, 0.95, 1.05) * 3], seed).bucket is None


def test_nothing_is_said_before_anything_was_refused():
    server = Bucket(np.random.default_rng(1), rate=200.0, burst=20.0, service=exponential(0.02))
    tokens = _watched(server, [100.0] * 5, 1)
    assert tokens.bucket is None and tokens.posterior(0.01) is None


def test_a_site_that_never_answers_well_is_no_bucket():
    assert _watched(Always(latency=0.003, outcome=Outcome.HTTP_5XX), [20.0, 40.0, 80.0] * 3, 1).bucket is None


def test_the_load_of_a_share_is_where_that_share_is_refused():
    for burst in (3.0, 6.0, 12.0):
        assert float(refused(load_of(0.01, burst), burst)) == pytest.approx(0.01, rel=0.02)
    assert load_of(0.01, 50.0) == pytest.approx(1.0, abs=0.01)


def test_the_breaking_point_of_a_limiter_is_that_of_its_bucket():
    """Five searches on 90/s with 4.6 at once, which refuses 1 % of visitors at random from 54.7/s on: 2 % off on average, every interval
    holds it, and IT is told the limiter."""
    errors = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(Bucket(random, rate=90.0, burst=4.6, service=exponential(0.02)), random), peak=40.0, profile=QUICK, seed=seed)
        truth = 90.0 * load_of(0.01, 4.6)
        errors.append(found.visitors_per_second / truth - 1)
        assert found.low <= truth <= found.high
        assert found.cause == "rate_limited" and "A limiter lets" in found.cause_detail
    assert np.mean(np.abs(errors)) < 0.02
