"""The laws behind the estimate, each against a closed form or a simulation of its own."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.search.estimator import Estimator
from harness.analysis.search.generator import Headroom
from harness.analysis.search.inflight import Crowd
from harness.analysis.search.meter import BINS, MIDDLE, Meter
from harness.analysis.search.mix import Mix
from harness.analysis.search.plateau import LEVELS, SHARES, SLACK, boundary
from harness.analysis.search.queueing import Demand, fit, isotonic
from harness.analysis.search.refusals import posterior
from tests.sim.rig import Rig
from tests.sim.servers import Free, Pool, constant, exponential


def _flat(speed: float, workers: int, seconds: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Time and answers of a pool seen for a while at every level up to a hundred."""
    time = np.where(MIDDLE < 101, seconds / (MIDDLE < 101).sum(), 0.0)
    return time, time * speed * np.minimum(1.0, MIDDLE / workers)


@pytest.mark.parametrize(
    ("workers", "service", "expected", "within"), [(8, 0.04, 195.85, 0.015), (40, 0.04, 1001.7, 0.005), (1, 0.04, 19.2, 0.04)]
)
def test_a_plain_queue_has_the_capacity_that_simulated_plateaus_show(workers: int, service: float, expected: float, within: float):
    """M/M/8, M/M/40 and M/M/1 with 95 % within 500 ms: the rate that half of simulated one-minute plateaus hold."""
    speed = workers / service
    time = np.where(speed >= MIDDLE, 0.5, 0.0)
    answers = time * speed * np.minimum(1.0, MIDDLE / workers)
    found = fit(
        time,
        answers,
        np.zeros(BINS),
        np.zeros(BINS),
        calm=service,
        dispersion=1.0,
        burstiness=1.0,
        demand=Demand(limit=0.5, late=0.05),
    )
    assert found is not None
    assert not found.falling
    assert found.rate == pytest.approx(expected, rel=within)


def test_a_more_irregular_site_holds_less():
    """Irregular answers need more room below saturation. (The line never ends here: how irregular the answers are also tells how many of
    them its ends have to spare.)"""
    time, answers = (np.where(MIDDLE > 20, column, 0.0) for column in _flat(200.0, 8))
    rates = [
        fit(
            time, answers, np.zeros(BINS), np.zeros(BINS), calm=0.04, dispersion=d, burstiness=1.0, demand=Demand(limit=0.5, late=0.05)
        ).rate
        for d in (0.3, 1.0, 4.0)
    ]
    assert rates[0] > rates[1] > rates[2]


@pytest.mark.parametrize(("regular", "within"), [(True, 0.004), (False, 0.008)])
def test_the_ends_of_a_line_do_not_make_a_site_faster(regular: bool, within: float):
    """Eight workers of 40 ms under a crowd of about their own speed: the line comes and goes hundreds of times, each time by an answer.
    The speed found is theirs, 200/s, with constant as with exponential service (whose answers are as irregular as chance)."""
    random = np.random.default_rng(3)
    rig = Rig(Pool(random, workers=8, service=constant(0.040) if regular else exponential(0.040)), random)
    meter = Meter(1, (0.5,))
    crowd, estimator = Crowd(meter, np.ones(1, bool)), Estimator(demands=(Demand(limit=0.5, late=0.05),), seed=1)
    estimator.calm = 0.040
    for _ in range(1200):
        meter.read(rig.step(197.0))
        estimator.add(crowd.levels())
    for _ in range(3):
        estimator.refit()
    assert estimator.fit is not None
    plain = estimator.fit.busy_answers / estimator.fit.busy_seconds
    assert estimator.fit.plateau == pytest.approx(200.0, rel=within)
    assert (plain > 201.0) is regular  # what the answers alone say


def test_a_site_that_was_never_busy_has_no_fit():
    """A hundred answers at one in flight say nothing about saturation."""
    time, answers = np.zeros(BINS), np.zeros(BINS)
    time[1], answers[1] = 10.0, 100.0
    assert fit(time, answers, time, time, calm=0.04, dispersion=1, burstiness=1, demand=Demand(limit=0.5, late=0.05)) is None


def test_a_falling_curve_is_told_from_a_flat_one():
    """Answers fall to half beyond forty in flight: the rate it survives for a minute lies below its peak."""
    time, answers = _flat(200.0, 8)
    answers = np.where(MIDDLE > 40, answers / 2, answers)
    found = fit(time, answers, np.zeros(BINS), np.zeros(BINS), calm=0.04, dispersion=1, burstiness=1, demand=Demand(limit=0.5, late=0.05))
    assert found is not None
    assert found.falling
    assert 150 < found.rate < 200


def test_the_plateau_table_falls_with_slack_and_with_the_share():
    """More slack, shorter lines; a rarer level is a higher one."""
    assert LEVELS.shape == (len(SLACK), len(SHARES))
    assert (np.diff(LEVELS, axis=0) < 0).all()
    assert (np.diff(LEVELS, axis=1) < 0).all()


def test_far_below_saturation_a_minute_is_as_good_as_forever():
    """The translation of a plateau into a stationary line fades out with slack, and helps near saturation."""
    assert boundary(30.0, 0.05) == pytest.approx(30.0)
    assert boundary(1.5, 0.05) < 1.5


def test_failures_of_a_limiter_show_its_limit():
    """Twenty thousand requests on both sides of a limit of 200 with a burst of 20: the posterior holds the rate of 1 % failures."""
    random = np.random.default_rng(3)
    rates = np.array([185.0, 192.0, 200.0, 210.0])
    excess = rates - 200.0
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(excess == 0, rates / 40.0, excess / -np.expm1(-2 * excess * 20 / rates)) / rates
    requests = np.full(4, 5000)
    found = posterior(rates, requests.astype(float), random.binomial(requests, lost).astype(float), spread=1.0, allowed=0.01)
    fine = np.linspace(150, 210, 2000)
    exact = (fine - 200) / -np.expm1(-2 * (fine - 200) * 20 / fine) / fine
    truth = float(np.interp(0.01, exact, fine))
    assert found.quantile(0.005) < truth < found.quantile(0.995)
    assert found.quantile(0.5) == pytest.approx(truth, rel=0.01)


def test_isotonic_regression_pools_what_falls():
    """The closest rising sequence to 1, 3, 2 is 1, 2.5, 2.5."""
    assert isotonic(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist() == [1.0, 2.5, 2.5]


def test_the_map_from_visitors_to_requests_is_measured():
    """Each visitor makes one request on arrival and 2.5 others arrive from visitors already there: 3.5 within its own error."""
    random = np.random.default_rng(5)
    rig = Rig(Free(random, service=exponential(0.02)), random, mix=(2.5,))
    meter, mix = Meter(2, (0.5,)), Mix(2, 1, 1.0)
    for _ in range(40):
        mix.add(meter.read(rig.step(40.0)), stressed=False)
    both = np.array([True, True])
    assert mix.requests(both) == pytest.approx(3.5, abs=3 * 3.5 * mix.uncertainty(both))
    assert mix.uncertainty(both) < 0.03


def test_the_luck_of_the_draw_is_not_mistaken_for_the_journey():
    """Where every visitor makes exactly one request, the map is 1 whatever number of visitors happened to come."""
    random = np.random.default_rng(6)
    rig = Rig(Free(random, service=exponential(0.02)), random)
    meter, mix = Meter(1, (0.5,)), Mix(1, 1, 1.0)
    for _ in range(20):
        mix.add(meter.read(rig.step(20.0)), stressed=False)
    assert mix.requests(np.array([True])) == pytest.approx(1.0, abs=0.005)


def test_a_late_window_is_an_accident_and_four_of_six_are_a_limit():
    """The generator is suspected after two of three late windows, and blamed after four of six."""
    random = np.random.default_rng(1)
    rig = Rig(Free(random, service=exponential(0.02)), random, most=50.0)
    headroom = Headroom(0.5)
    found = []
    for dial in (40.0, 60.0, 40.0, 60.0, 60.0, 60.0):
        headroom.watch(rig.step(dial))
        found.append((headroom.suspect is not None, headroom.limited is not None))
    assert found == [(False, False), (False, False), (False, False), (True, False), (True, False), (True, True)]
