"""The rehearsal: the campaign's own peak is played after the confirmation, whether the site carries it or not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from harness.analysis.findings import Findings
from harness.analysis.levels import aftermath
from harness.analysis.search import QUICK
from tests.analysis.rehearsal import Rehearsal, mail
from tests.sim.rig import Rig, run
from tests.sim.servers import Bucket, Contended, Pool, Server, exponential

TRUE = 197.0  # visitors/s


@cache
def played(peak: float, kind: str = "pool", ceiling: float | None = None) -> tuple[Rehearsal, Findings]:
    random = np.random.default_rng(1)
    site: Server = (
        Pool(random, workers=8, service=exponential(0.04), room=400)
        if kind == "pool"
        else Bucket(random, rate=200, burst=50, service=exponential(0.02))
    )
    surge = Rehearsal(mail(peak), Rig(site, np.random.default_rng(101)), ceiling=ceiling)
    return surge, surge.run()


def test_a_peak_that_the_site_carries_is_held_and_every_promise_is_measured_at_it() -> None:
    """Cheap and harmless: four seconds at the campaign's own peak."""
    _, found = played(90.0)
    (level,) = [level for level in found.levels if level.phase == "rehearsal"]
    assert level.visitors_per_second == pytest.approx(90.0, rel=0.01)
    assert level.seconds >= 3
    assert level.held == "yes"
    assert {promise.verdict for promise in found.promises} == {"kept"}
    assert [promise.measured_at_visitors_per_second for promise in found.promises] == pytest.approx([90.0, 90.0], rel=0.01)
    (peak,) = [part for part in found.felt if part.name == "peak"]
    assert peak.visitors_per_second == pytest.approx(90.0, rel=0.05)
    assert peak.fast > 0.99


def test_a_peak_beyond_the_breaking_point_is_played_shortly_and_breaks_its_promise_there() -> None:
    """The promise says where and when; the recovery is watched after it, without a second push."""
    surge, found = played(280.0)
    (level,) = [level for level in found.levels if level.phase == "rehearsal"]
    assert level.visitors_per_second == pytest.approx(280.0, rel=0.02)
    assert level.held == "no"
    latency = found.promises[0]
    assert latency.verdict == "broken"
    assert latency.measured is not None and latency.measured > 500
    assert latency.first_broken_at_seconds is not None
    trace = surge.analyst._search.trace
    assert sum(phase == "rehearsal" for _, phase, _ in trace) <= 10
    assert max(dial for _, phase, dial in trace if phase == "recovery") < TRUE
    assert found.breaking_point.recovered is True


@pytest.mark.parametrize("peak", [250.0, 400.0, 1500.0])
def test_the_rehearsal_never_goes_beyond_twice_the_estimate_and_stays_gentle(peak: float) -> None:
    """A campaign far too large for the site must not hurt it the more: less than 8 requests of 100 are bad, mean of eight runs. Where the
    site breaks while a rate is confirmed there is none, as the break has been seen; that is rare."""
    harmed, played = [], 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        rig = Rig(Pool(random, workers=8, service=exponential(0.04)), random)
        point, search = run(rig, peak=peak, profile=QUICK, seed=seed)
        assert point.visitors_per_second is not None
        played_at = [dial for _, phase, dial in search.trace if phase == "rehearsal"]
        harmed.append(rig.bad / rig.sent)
        assert rig.now <= 60
        if not played_at:
            continue
        played += 1
        assert 1.2 * TRUE < max(played_at) < min(2.2 * TRUE, 1.01 * peak)
    assert played >= 6
    assert np.mean(harmed) < 0.08


def test_a_limiter_is_rehearsed_at_the_peak_and_the_errors_promise_rests_on_it() -> None:
    """A third is turned away at one and a half times the limit: no line, and nothing to wait for."""
    _, found = played(300.0, "limiter")
    errors = found.promises[1]
    assert (errors.verdict, errors.measured_at_visitors_per_second) == ("broken", pytest.approx(300.0, rel=0.02))


def test_a_peak_under_a_ceiling_that_never_broke_the_site_is_rehearsed_too() -> None:
    """Nobody has to break a site to play its campaign."""
    _, found = played(90.0, ceiling=120.0)
    assert found.breaking_point.status == "not_reached"
    assert [level.visitors_per_second for level in found.levels if level.phase == "rehearsal"] == pytest.approx([90.0], rel=0.01)
    assert found.verdict == "ready"


def test_the_half_load_after_a_push_is_aftermath_even_when_the_rehearsal_was_quieter() -> None:
    """Who meets the push's backlog at half the load is no evidence against half the load."""
    surge, found = played(40.0)
    late = [level for level in found.levels if level.phase == "recovery" and level.visitors_per_second < TRUE]
    assert late and all(level.held == "unclear" for level in late)
    cohorts = surge.analyst._evidence.cohorts
    after = aftermath(cohorts)
    phases = np.array([cohorts.phase(k) for k in range(cohorts.count)])
    dials = cohorts.windows["dial"]
    assert not after[(phases == "recovery") & (dials > 1.2 * TRUE)].any()
    assert after[(phases == "recovery") & (dials < 0.7 * TRUE)].all()


def test_a_collapsing_site_is_not_pushed_once_it_tips_over() -> None:
    """Past its peak it tips over by itself: of four searches for two and a half times its capacity the rehearsals end within a second and a
    half, and less than 8 % of all requests are harmed on average."""
    harmed = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        rig = Rig(Contended(random), random)
        _, search = run(rig, peak=480.0, profile=QUICK, seed=seed)
        assert 1 <= sum(phase == "rehearsal" for _, phase, _ in search.trace) <= 4
        harmed.append(rig.bad / rig.sent)
    assert np.mean(harmed) < 0.08
