"""The viral spike against simulated cascades: branching mean and variance, the mean curve, conditional intensity, the pace of the rise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.campaigns import plan_campaign
from harness.campaigns.cascade import cascade, delays
from harness.campaigns.curve import Integral
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.viral_spike import Kernel, kernel_cdf, reproduction, saturating_curve
from harness.scenario.campaign import Shock, ViralSpike
from harness.scenario.model import Journey, Page, Scenario


def planned(campaign: ViralSpike) -> ArrivalPlan:
    journeys = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)
    return plan_campaign(Scenario(name="test", campaign=campaign, promises=(), journeys=journeys))


def test_drawn_delays_follow_the_kernel() -> None:
    """KS of 20,000 draws against the kernel's own distribution."""
    drawn = delays(np.random.default_rng(1).random(20_000))
    assert stats.kstest(drawn, lambda u: kernel_cdf(np.asarray(u))).pvalue > 0.01


@pytest.mark.parametrize("passed_on", [0.3, 0.6, 0.8, 0.9])
def test_totals_have_the_branching_mean_and_variance(passed_on: float) -> None:
    """400 cascades of 200 seeds: mean S/(1 − R) and variance S·R/(1 − R)³, each within four standard errors."""
    totals = np.array([len(cascade(ViralSpike(seed_visitors=200, passed_on=passed_on), seed)) for seed in range(400)])
    mean, variance = 200 / (1 - passed_on), 200 * passed_on / (1 - passed_on) ** 3
    assert abs(totals.mean() - mean) < 4 * np.sqrt(variance / 400)
    # The standard error of a sample variance, with the excess kurtosis of the sample itself.
    error = variance * np.sqrt((2 + max(stats.kurtosis(totals), 0)) / 400)
    assert abs(totals.var(ddof=1) - variance) < 4 * error


@pytest.mark.parametrize("campaign", [
    ViralSpike(seed_visitors=1_000, passed_on=0.8),
    ViralSpike(seed_visitors=1_000, passed_on=0.5, shocks=(Shock(at=7200.0, visitors=2_000),)),
    ViralSpike(seed_visitors=1_000, passed_on=0.5, shared_as="hashtag", seen_over=1800.0),
], ids=["post", "shock", "hashtag"])  # fmt: skip
def test_the_mean_curve_is_the_mean_of_cascades(campaign: ViralSpike) -> None:
    """100 cascades: visits in each of six stretches of time within four standard errors of the plan's."""
    edges = np.array([0.0, 300.0, 3600.0, 7200.0, 7800.0, 4 * 3600.0, 12 * 3600.0])
    counts = np.array([np.histogram(cascade(campaign, seed), edges)[0] for seed in range(100)])
    plan = planned(campaign)
    expected = np.diff(Integral(plan.times, plan.visitors).at(edges))
    assert np.all(np.abs(counts.mean(axis=0) - expected) < 4 * counts.std(axis=0, ddof=1) / 10 + 0.004 * expected)


def test_a_cascade_passes_time_rescaling_with_its_conditional_intensity() -> None:
    """The compensator of a self-exciting process, from its own history, makes unit gaps; one with R off by a quarter does not."""
    campaign = ViralSpike(seed_visitors=1_500, passed_on=0.6)
    times = cascade(campaign, 5)

    def gaps(passed_on: float) -> np.ndarray:
        caused = np.array([kernel_cdf(t - times[:i]).sum() for i, t in enumerate(times)])
        return np.diff(1_500 * kernel_cdf(times) + passed_on * caused)

    assert stats.kstest(gaps(0.6), "expon").pvalue > 0.01
    assert stats.kstest(gaps(0.75), "expon").pvalue < 0.01


def test_doubling_every_half_hour_does() -> None:
    """Euler–Lotka: with an inexhaustible audience the rate's late growth is the pace that was asked for."""
    campaign = ViralSpike(seed_visitors=100, doubles_every=1800.0, audience=10**9)
    passed_on = reproduction(campaign)
    edges = np.arange(0.0, 6 * 3600.0 + 10, 10.0)
    rate = saturating_curve(100 * np.diff(kernel_cdf(edges)) / 10, passed_on, 1e12, 10.0)
    late = slice(1440, 2100)
    slope = np.polyfit(edges[1:][late], np.log(rate[late]), 1)[0]
    assert np.log(2) / slope == pytest.approx(1800.0, rel=0.03)


def test_a_shock_is_a_second_summit() -> None:
    """Somebody with twice the following, two hours later: the peak is then, and higher."""
    plain = planned(ViralSpike(seed_visitors=10_000))
    shocked = planned(ViralSpike(seed_visitors=10_000, shocks=(Shock(at=7200.0, visitors=20_000),)))
    assert 7200.0 <= shocked.peak_at <= 7800.0
    assert shocked.peak > 1.9 * plain.peak
    assert shocked.total == pytest.approx(30_000 / 0.7, rel=0.02)


def test_presets_stretch_time_to_the_published_half_lives() -> None:
    """Half of those brought come within 7.4 hours for a video, 2.8 for a hashtag."""
    assert Kernel(stretch=7.4 * 3600 / 1164.5).cdf(np.array([7.4 * 3600.0]))[0] == pytest.approx(0.5, abs=1e-3)
    slow = planned(ViralSpike(seed_visitors=10_000, shared_as="video", seen_over=7200.0, passed_on=0.6))
    quick = planned(ViralSpike(seed_visitors=10_000, passed_on=0.6))
    assert slow.peak < 0.2 * quick.peak
    assert slow.total == pytest.approx(quick.total, rel=0.02)
