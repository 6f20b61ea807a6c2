"""Ten minutes: what a search must not talk itself into when it has so long."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from harness.analysis.search import FULL, QUICK, Profile, Search
from harness.analysis.search.warmth import Warmth
from harness.result import BreakingPoint
from tests.sim.rig import Rig, run
from tests.sim.servers import Bucket, Contended, Pool, exponential, lognormal


def test_a_small_bucket_is_found_within_its_interval_after_ten_minutes():
    """A bucket of four tokens at 90/s: neither a few seconds without a refusal nor a push that few requests fail in says that it carries
    more. Its interval is narrower than a fifth, and holds the rate at which 1 % are refused (47.7/s)."""
    random = np.random.default_rng(1)
    found, search = run(Rig(Bucket(random, rate=90.0, burst=4.0, service=lognormal(0.02, 0.6)), random), peak=30.0, profile=FULL)
    assert found.low is not None and found.high is not None and found.visitors_per_second is not None
    assert found.low <= 47.7 <= found.high
    assert found.high - found.low < 0.2 * found.visitors_per_second
    assert "rose" not in search.flags


def test_a_collapse_is_still_one_after_ten_minutes():
    """A gap now and then among ten minutes of a collapsing site's answers is no stall: its capacity is 193/s."""
    random = np.random.default_rng(1)
    found, _ = run(Rig(Contended(random), random), peak=60.0, profile=FULL)
    assert found.cause == "collapse"
    assert found.visitors_per_second == pytest.approx(193.0, rel=0.05)


def test_a_site_that_was_steady_for_minutes_is_warm():
    """Faster answers within the first minute are a site that warms up; after three steady minutes they are something else (one among a
    thousand looks would find such a fall by chance), and for a change of capacity there is another rule."""
    for steady, felt in ((40, True), (360, False)):
        random, warmth, said = np.random.default_rng(2), Warmth(), False
        for i in range(steady + 40):
            warmth.watch_busy(0.5, float(random.poisson(100 + 3 * max(0, i - steady))))
            said |= warmth.warming(np.ones(1))
        assert said == felt


def test_what_happens_every_other_minute_does_not_lower_the_number():
    """Ten minutes on a queue that carries 195.9/s and stands still for 0.4 s every two minutes or so: most minutes know nothing of it. The
    number is that of these, and its answers scatter hardly more than those of the queue alone, whose variance is their mean."""
    errors, scatter = [], []
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        found, search = run(Rig(Pool(random, workers=8, service=exponential(0.040), stall=(120.0, 0.4)), random), peak=60.0, profile=FULL)
        errors.append(abs(found.visitors_per_second / 195.9 - 1))
        scatter.append(search._belief.whole.dispersion)
    assert np.mean(errors) < 0.015
    assert np.mean(scatter) < 1.2


class Grown(Pool):
    """Eight workers more from `at` s on."""

    at = 470.0

    def _changed(self, t: float, service: float) -> float:
        if t >= self.at:
            for _ in range(8):
                heapq.heappush(self._free, t)
            self.at = np.inf
        return super()._changed(t, service)


def _grown(seed: int, at: float, profile: Profile) -> tuple[BreakingPoint, Search]:
    random = np.random.default_rng(seed)
    site = Grown(random, workers=8, service=exponential(0.040), leak=1e-15)
    site.at = at
    return run(Rig(site, random), peak=45.0 + seed, profile=profile, seed=seed)


def test_a_site_that_doubles_while_a_rate_is_confirmed_is_measured_again():
    """The last push finds no limit where the estimate (196/s) says that a line must stand: what is left of the time measures the site
    that it met (397.5/s)."""
    for seed in (0, 1, 2):
        found, search = _grown(seed, 470.0, FULL)
        assert found.visitors_per_second == pytest.approx(397.5, rel=0.03)
        assert found.low <= 397.5 <= found.high
        assert "rose" in search.flags


def test_where_no_time_is_left_to_measure_it_the_interval_has_no_such_end():
    """The same in the last seconds of a minute: the interval reaches beyond what the push carried, and says so."""
    for seed in (0, 1):
        found, search = _grown(seed, 47.0, QUICK)
        assert found.high > 1.35 * found.visitors_per_second
        assert "still_rising" in search.flags


def test_a_steady_site_did_not_move_in_ten_minutes():
    """Whoever looks for change at every half second sees rare chances: five of six say nothing of a change, and none is a twentieth off."""
    said = 0
    for seed in range(6):
        found, search = _grown(seed, 1e9, FULL)
        assert found.visitors_per_second == pytest.approx(196.0, rel=0.05)
        said += bool({"rose", "fell", "still_rising"} & set(search.flags))
    assert said <= 1
