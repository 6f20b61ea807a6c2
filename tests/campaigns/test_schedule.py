"""Generated arrival times: a Poisson process with exactly the planned rate. Fixed seeds; the evidence is that a wrong rate is rejected."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.campaigns import plan_campaign
from harness.campaigns.curve import Integral, lognormal_cdf
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.schedule import schedule, thinning
from harness.scenario.model import Campaign, EmailBlast, Journey, Page, Scenario, ViralSpike, Webcast

LOOK = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)
MAIL = EmailBlast(list_size=350_000, sent_over=1800.0)
CAMPAIGNS = (MAIL, Webcast(registrants=25_000), ViralSpike(seed_visitors=7_000))


def planned(campaign: Campaign) -> ArrivalPlan:
    return plan_campaign(Scenario(name="test", campaign=campaign, promises=(), journeys=LOOK))


def rescaled(times: np.ndarray, integral: Integral) -> tuple[float, float, float]:
    """Time rescaling (Brown et al. 2002): p of uniformity, p of exponential gaps, lag-1 correlation of the gaps in units of 1/√n."""
    reached = integral.at(times)
    gaps = np.diff(reached, prepend=0.0)
    correlation = float(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) * np.sqrt(len(gaps))
    return stats.kstest(reached / integral.total, "uniform").pvalue, stats.kstest(gaps, "expon").pvalue, correlation


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda c: c.type)
def test_counts_are_poisson(campaign: Campaign) -> None:
    """Every count within four standard deviations; over 200 seeds the variance equals the mean."""
    plan = planned(campaign)
    counts = np.array([len(schedule(plan, seed)) for seed in range(200)])
    assert np.abs(counts - plan.total).max() < 4 * np.sqrt(plan.total)
    assert 0.8 < counts.var(ddof=1) / plan.total < 1.25


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda c: c.type)
def test_the_planned_rate_passes_time_rescaling(campaign: Campaign) -> None:
    """At p > 0.01 in at least 96 of 100 seeds, uniform and exponential alike; gaps are independent."""
    plan = planned(campaign)
    integral = Integral(plan.times, plan.visitors)
    found = np.array([rescaled(schedule(plan, seed), integral) for seed in range(100)])
    assert np.sum(found[:, 0] > 0.01) >= 96
    assert np.sum(found[:, 1] > 0.01) >= 96
    assert np.sum(np.abs(found[:, 2]) < 4.0) == 100


def test_a_sigma_wrong_by_a_tenth_is_rejected() -> None:
    """The same test has teeth: with σ 10 per cent off, all of 50 seeds are rejected."""
    plan = planned(MAIL)
    t = plan.times
    wrong = lognormal_cdf(t, median=2.8 * 3600, sigma=2.44 * 1.1) - lognormal_cdf(t - 1800.0, median=2.8 * 3600, sigma=2.44 * 1.1)
    integral = Integral(t, wrong * plan.total / np.trapezoid(wrong, t))
    assert all(rescaled(schedule(plan, seed), integral)[0] < 0.01 for seed in range(50))


@pytest.mark.parametrize("campaign", [Webcast(registrants=25_000), EmailBlast(list_size=50_000, sent_over=86400.0)], ids=lambda c: c.type)
def test_inversion_and_thinning_agree(campaign: Campaign) -> None:
    """Two independent generators, one law: two-sample KS at fixed seeds."""
    plan = planned(campaign)
    a, b = schedule(plan, 11), thinning(plan, 12)
    assert abs(len(a) - len(b)) < 4 * np.sqrt(len(a) + len(b))
    assert stats.ks_2samp(a, b).pvalue > 0.01


def test_a_seed_repeats_its_schedule_and_another_does_not() -> None:
    """One seed, one schedule, ascending and inside the plan."""
    plan = planned(MAIL)
    once = schedule(plan, 4)
    assert np.array_equal(once, schedule(plan, 4))
    assert not np.array_equal(once[:50], schedule(plan, 5)[:50])
    assert np.all(np.diff(once) >= 0)
    assert once[0] >= plan.times[0] and once[-1] <= plan.times[-1]
