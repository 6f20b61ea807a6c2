"""Sites that become faster while they are tested: cold caches, compilers, pools."""

from __future__ import annotations

import numpy as np

from harness.analysis.search.profile import QUICK
from harness.analysis.search.warmth import Warmth
from tests.sim.rig import Rig, run
from tests.sim.servers import Pool, exponential

CAPACITY = 196.0  # visitors/s, warm: 8 workers x 40 ms


def _feels(cold: float, seed: int) -> int:
    """In how many of sixty busy windows of a hundred answers the site is said to warm up; `cold` times as slow at first."""
    random = np.random.default_rng(seed)
    warmth, said = Warmth(), 0
    for i in range(60):
        slower = 1 + (cold - 1) * np.exp(-i / 15)
        warmth.watch_busy(0.5, float(random.poisson(100 / slower)))
        said += warmth.warming(np.ones(1))
    return said


def test_a_site_that_warms_is_felt_and_a_steady_one_is_not():
    """Five draws each: two and a half times as slow at first is noticed in half a minute of windows; a steady site never."""
    assert all(_feels(2.5, seed) >= 15 for seed in range(5))
    assert all(_feels(1.0, seed) == 0 for seed in range(5))


def test_a_cold_site_is_measured_as_it_becomes():
    """Three times as slow at first, warm after some four thousand requests: eight seeds end within 9 % of the warm capacity on average, six
    intervals reach it, and all say that the capacity rose."""
    errors, covered, rose = [], 0, 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        found, search = run(Rig(Pool(random, service=exponential(0.040), cold=(3.0, 1500.0)), random), peak=CAPACITY / 3, profile=QUICK)
        errors.append(abs(found.visitors_per_second / CAPACITY - 1))
        covered += found.low <= CAPACITY <= found.high
        rose += "rose" in search.flags and "rose; it was first measured" in found.cause_detail
    assert np.mean(errors) < 0.09
    assert covered >= 6
    assert rose == 8


def test_a_site_too_slow_when_cold_is_loaded_until_it_is_warm():
    """Its quietest answers break the promise at first (15 workers, 290 ms: one in six is late), so that no rate keeps it: five searches of
    six nevertheless load it until it is warm, and end at more than six tenths of its warm capacity."""
    ends = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        pool = Pool(random, workers=15, service=exponential(0.120), cold=(2.4, 1232.0))
        found, _ = run(Rig(pool, random), peak=15.0, profile=QUICK)
        ends.append(found.visitors_per_second or 0.0)
    assert sum(end > 0.6 * 119 for end in ends) >= 5
