"""Sites that stand still now and then."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.meter import Meter
from harness.analysis.search.profile import QUICK
from harness.analysis.search.stalls import Stalls
from tests.sim.rig import Rig, run
from tests.sim.servers import Contended, Pool, Server, exponential, lognormal


def _watched(server: Server, dial: float, seed: int, trusted: bool = True) -> Stalls:
    """Forty seconds at one rate."""
    rig, meter = Rig(server, np.random.default_rng(seed)), Meter(1, (0.5,))
    stalls = Stalls(meter)
    for _ in range(80):
        meter.read(rig.step(dial))
        stalls.watch(trusted=trusted)
    return stalls


def test_stalls_are_counted_and_measured():
    """Every 8 s or so 0.4 s without an answer, at 140/s: four in five of them are seen, with their length to a fifth."""
    seen = there = 0
    lengths = []
    for seed in range(6):
        server = Pool(np.random.default_rng(seed), service=exponential(0.040), stall=(8.0, 0.4))
        there += sum(1.0 < at < 39.0 for at in server._stalls)
        stalls = _watched(server, 140.0, seed)
        seen += stalls.count
        lengths.append(np.sqrt(stalls.square / max(stalls.count, 1)))
    assert 0.8 * there <= seen <= 1.1 * there
    assert np.mean(lengths) == pytest.approx(0.4, rel=0.2)


def test_queues_and_collapses_do_not_stall():
    """A full queue, one of very uneven services, and a site that slows down under its load: none has a stall. Nor is a gap in windows
    in which our own machine was late the site's."""
    random = np.random.default_rng(1)
    assert _watched(Pool(random, workers=8, service=exponential(0.040)), 196.0, 1).count == 0
    assert _watched(Pool(random, workers=12, service=lognormal(0.055, 2.0)), 205.0, 1).count == 0
    assert _watched(Contended(random), 185.0, 1).count == 0
    assert _watched(Pool(random, service=exponential(0.040), stall=(4.0, 0.4)), 140.0, 1, trusted=False).count == 0


def test_the_interval_of_a_stalling_site_allows_for_the_stalls_that_were_not_seen():
    """A dozen searches on a site that stands still for 0.4 s every 10 s or so (170/s): at least nine intervals hold the truth."""
    covered = 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(Pool(random, service=exponential(0.040), stall=(10.0, 0.4)), random), peak=60.0, profile=QUICK)
        covered += found.low <= 170 <= found.high
    assert covered >= 9


def test_a_stalling_site_is_not_said_to_collapse():
    """A dozen searches on such a site: in none does the answer call it slower under load, which it is only while it stands still."""
    for seed in range(12):
        random = np.random.default_rng(seed)
        found, _ = run(Rig(Pool(random, service=exponential(0.040), stall=(10.0, 0.4)), random), peak=60.0, profile=QUICK)
        assert found.cause == "slow"
