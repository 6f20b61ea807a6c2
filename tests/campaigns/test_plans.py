"""Each campaign's curve against its closed forms, and the promises that hold for all of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.campaigns import plan_campaign, plan_one
from harness.campaigns.curve import Integral, lognormal_cdf, normal_cdf, thinned_out
from harness.campaigns.email_blast import DELAYS, HOUR, scan_flow, scanned_within, scans
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.viral_spike import kernel_cdf, mean_curve, saturating_curve, uncut_cdf
from harness.campaigns.webcast import join_density
from harness.scenario.campaign import TimeZone
from harness.scenario.model import Campaign, EmailBlast, Journey, Page, Scenario, ViralSpike, Webcast

LOOK = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)


def planned(campaign: Campaign) -> ArrivalPlan:
    return plan_campaign(Scenario(name="test", campaign=campaign, promises=(), journeys=LOOK))


CAMPAIGNS = (
    EmailBlast(list_size=400_000, sent_over=1800.0),
    EmailBlast(list_size=400_000, sent_over=0.0),
    EmailBlast(list_size=10_000_000, sent_over=7 * 86400.0, audience="engaged"),
    Webcast(registrants=20_000, length=2700.0),
    Webcast(registrants=500, punctuality=30.0, length=300.0),
    ViralSpike(seed_visitors=20_000),
    ViralSpike(seed_visitors=20_000, passed_on=0.8),
    ViralSpike(seed_visitors=1_000, passed_on=2.0, audience=200_000),
)


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda c: c.type)
def test_a_plan_is_a_short_clean_curve(campaign: Campaign) -> None:
    """Ascending times, finite rates that are never negative, a few thousand points at most."""
    plan = planned(campaign)
    assert np.all(np.diff(plan.times) > 0)
    assert np.all(np.isfinite(plan.visitors)) and plan.visitors.min() >= 0
    assert np.all(np.isfinite(plan.scanners)) and plan.scanners.min() >= 0
    assert len(plan.times) <= 4000
    assert plan.times[0] <= plan.zero <= plan.times[-1]
    assert [phase.end >= phase.start for phase in plan.phases].count(False) == 0


@pytest.mark.parametrize("sent_over", [600.0, 1800.0, 3600.0, 14400.0])
def test_a_mail_peaks_when_the_last_one_is_out(sent_over: float) -> None:
    """The peak is V·F(D)/D at t = D, within 2 per cent."""
    plan = planned(EmailBlast(list_size=400_000, sent_over=sent_over))
    clicks = 400_000 * 0.99 * 0.029
    closed = clicks * stats.lognorm.cdf(sent_over, s=2.44, scale=2.8 * HOUR) / sent_over
    assert plan.peak == pytest.approx(closed, rel=0.02)
    assert plan.peak_at == pytest.approx(sent_over, rel=0.02)


def test_the_table_is_within_half_a_per_cent_of_the_formula() -> None:
    """Between its points the table is the lognormal formula, computed here by another library."""
    plan = planned(EmailBlast(list_size=400_000, sent_over=1800.0))
    t = np.geomspace(1.0, 30 * 86400.0, 20_000)
    whole = stats.lognorm.cdf(90 * 86400.0, s=2.44, scale=2.8 * HOUR)
    share = stats.lognorm.cdf(t, s=2.44, scale=2.8 * HOUR) - stats.lognorm.cdf(t - 1800.0, s=2.44, scale=2.8 * HOUR)
    truth = 400_000 * 0.99 * 0.029 / 1800.0 * share / whole
    assert np.max(np.abs(np.interp(t, plan.times, plan.visitors) / truth - 1.0)) < 0.005


def test_clicks_come_as_the_providers_report() -> None:
    """A third within the hour, four fifths within the day: GetResponse's published shares."""
    within = DELAYS["typical"].within(np.array([HOUR, 24 * HOUR]))
    assert 0.30 <= within[0] <= 0.36
    assert 0.78 <= within[1] <= 0.85


def test_scanners_are_a_curve_of_their_own() -> None:
    """All within 30 min of delivery, most within a minute, and x/(1 − x) of the clicks; visitors are what they were without them."""
    assert scanned_within(np.array([1800.0, 1e6])) == pytest.approx([1.0, 1.0])
    assert scanned_within(np.array([60.0]))[0] > 0.75
    with_them = planned(EmailBlast(list_size=400_000, sent_over=1800.0, scanner_share=0.75))
    without = planned(EmailBlast(list_size=400_000, sent_over=1800.0, scanner_share=0.0))
    assert np.trapezoid(with_them.scanners, with_them.times) == pytest.approx(3 * with_them.total, rel=0.002)
    assert without.scanners.max() == 0.0
    assert with_them.total == pytest.approx(without.total, rel=1e-3)
    assert with_them.scanners.max() == pytest.approx(3 * 400_000 * 0.99 * 0.029 / 1800.0, rel=0.01)


def test_a_webcast_joins_as_its_mixture_says() -> None:
    """52 per cent by the start, 89 by five minutes, 95 by ten; 16 per cent in the busiest clock minute."""
    plan = planned(Webcast(registrants=5_000, length=3600.0))
    arrived = Integral(plan.times, plan.visitors)
    joined = arrived.at(plan.zero + np.array([0.0, 300.0, 600.0])) / 2000.0
    assert joined == pytest.approx([0.52, 0.89, 0.95], abs=0.01)
    minutes = np.diff(arrived.at(plan.zero + 60.0 * np.arange(-60, 61))) / 2000.0
    assert minutes.max() == pytest.approx(0.163, abs=0.005)
    assert plan.peak == pytest.approx(7.1, rel=0.02)


@pytest.mark.parametrize("punctuality", [30.0, 90.0, 300.0])
def test_a_webcast_peaks_at_its_hour(punctuality: float) -> None:
    """The closed form: the punctual ones' peak plus the larger of the two tails that meet there."""
    plan = planned(Webcast(registrants=10_000, punctuality=punctuality))
    closed = 4000 * (0.55 / (2 * punctuality) + 0.25 / 480.0)
    assert plan.peak == pytest.approx(closed, rel=0.02)
    assert abs(plan.peak_at - plan.zero) < 1.0


def test_a_density_of_joins_is_a_density() -> None:
    """Its integral is 1."""
    t = np.linspace(-7200.0, 7200.0, 1_440_001)
    assert np.trapezoid(join_density(t, 90.0), t) == pytest.approx(1.0, abs=1e-4)


def test_the_share_kernel_is_the_published_one() -> None:
    """Median 40 min, 54 per cent in an hour, 78 in a day; cut at 48 h all of it has come by then."""
    assert uncut_cdf(np.array([2438.0, 3600.0, 86400.0])) == pytest.approx([0.5, 0.543, 0.781], abs=0.001)
    assert kernel_cdf(np.array([-5.0, 0.0, 48 * 3600.0, 1e9])) == pytest.approx([0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("passed_on", [0.0, 0.3, 0.6, 0.8])
def test_a_post_brings_its_seeds_and_all_whom_they_bring(passed_on: float) -> None:
    """Total S/(1 − R); four days hold nearly all of it."""
    plan = planned(ViralSpike(seed_visitors=10_000, passed_on=passed_on))
    assert plan.total == pytest.approx(10_000 / (1 - passed_on), rel=0.02)


def test_the_mean_curve_does_not_depend_on_its_grid() -> None:
    """Half the step, the same curve: within half a per cent at the peak and in the tail."""

    def solved(step: float) -> tuple[float, float]:
        edges = np.arange(0.0, 48 * 3600.0 + step, step)
        seeds = 1000.0 * np.diff(kernel_cdf(edges)) / step
        rate = mean_curve(seeds, 0.8, step)
        return float(rate.max()), float(np.sum(rate[edges[1:] > 6 * 3600.0]) * step)

    assert solved(10.0) == pytest.approx(solved(5.0), rel=0.005)


def test_an_audience_is_never_exceeded_and_a_large_one_is_no_limit() -> None:
    """With R = 3 nearly everybody comes and nobody twice; a huge audience gives the unlimited curve."""
    small = planned(ViralSpike(seed_visitors=1_000, passed_on=3.0, audience=50_000))
    assert 0.85 * 50_000 < small.total <= 50_000 * 1.001
    edges = np.arange(0.0, 12 * 3600.0 + 20.0, 20.0)
    seeds = 1000.0 * np.diff(kernel_cdf(edges)) / 20.0
    assert saturating_curve(seeds, 0.6, 1e12, 20.0) == pytest.approx(mean_curve(seeds, 0.6, 20.0), rel=1e-4, abs=1e-9)


def test_a_post_that_never_ends_is_refused_with_the_remedy() -> None:
    """R of one or more needs an audience; an audience needs room for its seeds."""
    with pytest.raises(ValueError, match="audience"):
        planned(ViralSpike(seed_visitors=100, passed_on=1.0))
    with pytest.raises(ValueError, match="smaller than all seeds"):
        planned(ViralSpike(seed_visitors=100, passed_on=0.5, audience=50))


@settings(max_examples=40, deadline=None)
@given(st.integers(1_000, 5_000_000), st.floats(60.0, 7 * 86400.0), st.floats(1.05, 20.0))
def test_more_list_never_lowers_the_peak_and_longer_sending_never_raises_it(size: int, sent_over: float, factor: float) -> None:
    """Twice the list, at least the peak; a longer spread, at most the peak."""
    base = planned(EmailBlast(list_size=size, sent_over=sent_over))
    assert planned(EmailBlast(list_size=round(size * factor), sent_over=sent_over)).peak >= base.peak
    assert planned(EmailBlast(list_size=size, sent_over=sent_over * factor)).peak <= base.peak * 1.001


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.builds(EmailBlast, list_size=st.integers(1, 10_000_000), sent_over=st.floats(0, 14 * 86400.0), click_rate=st.floats(0.001, 0.3)),
        st.builds(
            Webcast,
            registrants=st.integers(1, 10**6),
            attendance=st.floats(0.05, 1),
            punctuality=st.floats(5, 600),
            length=st.floats(300, 4e4),
        ),
    )
)
def test_the_integral_is_the_audience(campaign: EmailBlast | Webcast) -> None:
    """Nobody is lost between the audience in the scenario and the curve."""
    if isinstance(campaign, EmailBlast):
        audience = campaign.list_size * campaign.delivered * campaign.click_rate
    else:
        audience = campaign.registrants * campaign.attendance + campaign.walk_ins
    assert planned(campaign).total == pytest.approx(audience, rel=2e-3)


def test_the_normal_distribution_is_exact_far_into_its_tails() -> None:
    """Against an independent library, relative to the value itself."""
    z = np.linspace(-30, 8, 5001)
    assert normal_cdf(z) == pytest.approx(stats.norm.cdf(z), rel=1e-12)
    assert lognormal_cdf(np.array([-1.0, 0.0]), median=5.0, sigma=1.0).tolist() == [0.0, 0.0]


def test_an_integral_of_lines_is_exact_and_so_is_its_inverse() -> None:
    """A triangle: quadratics on both sides."""
    triangle = Integral(np.array([0.0, 2.0, 6.0]), np.array([0.0, 4.0, 0.0]))
    assert triangle.at(np.array([-1.0, 1.0, 2.0, 4.0, 9.0])) == pytest.approx([0.0, 1.0, 4.0, 10.0, 12.0])
    amounts = np.sort(np.random.default_rng(1).uniform(0, 12, 1000))
    assert triangle.at(triangle.inverse(amounts)) == pytest.approx(amounts, abs=1e-9)
    assert triangle.inverse(np.array([0.0, 12.0])) == pytest.approx([0.0, 6.0])


def test_a_long_table_is_thinned_without_losing_its_peak() -> None:
    """A hundred thousand points become a few hundred; the peak stays."""
    t = np.arange(100_000.0)
    rate = np.exp(-(((t - 5000) / 800.0) ** 2)) + 0.001
    short = thinned_out(t, rate)
    assert len(short) < 1000
    assert np.interp(short, t, rate).max() == pytest.approx(rate.max(), rel=1e-6)
    assert np.max(np.abs(np.interp(t, short, np.interp(short, t, rate)) - rate)) < 0.002


def test_plans_are_plain_numbers() -> None:
    """A plan's totals survive JSON: no numpy scalars leak out."""
    plan = planned(CAMPAIGNS[0])
    assert math.isfinite(json.loads(json.dumps([plan.total, plan.peak, plan.peak_at]))[0])


MANY = (
    EmailBlast(list_size=1_000_000, sent_over=7200.0, batches=4),
    EmailBlast(list_size=1_000_000, sent_over=86400.0, batches=100),
    EmailBlast(
        list_size=1_000_000, sent_over=7 * 86400.0, batches=200, time_zones=(TimeZone(later=0, share=0.6), TimeZone(later=18000, share=0.4))
    ),
)


@pytest.mark.parametrize("campaign", MANY, ids=lambda c: f"{c.batches} batches")
def test_batches_are_the_sum_of_their_waves(campaign: EmailBlast) -> None:
    """Against the formula summed wave by wave, second by second: the peak within half a per cent, every second within two of the peak."""
    plan = planned(campaign)
    t = np.arange(0.0, 8 * 86400.0, 5.0)
    whole = stats.lognorm.cdf(90 * 86400.0, s=2.44, scale=2.8 * HOUR)

    def within(since: np.ndarray) -> np.ndarray:
        return np.asarray(stats.lognorm.cdf(since, s=2.44, scale=2.8 * HOUR) / whole)

    truth = np.zeros_like(t)
    for later, share in [(z.later, z.share) for z in campaign.time_zones] or [(0.0, 1.0)]:
        for k in range(campaign.batches):
            since = t - later - k * campaign.sent_over / campaign.batches
            truth += 1_000_000 * 0.99 * 0.029 * share / campaign.batches / 60.0 * (within(since) - within(since - 60.0))
    assert plan.peak == pytest.approx(truth.max(), rel=0.005)
    assert np.max(np.abs(np.interp(t, plan.times, plan.visitors) - truth)) < 0.02 * truth.max()
    assert plan.total == pytest.approx(28_710, rel=1e-4)
    assert np.trapezoid(plan.scanners, plan.times) == pytest.approx(28_710 * 3 / 7, rel=1e-4)


def test_very_many_batches_never_lower_the_peak_below_the_truth() -> None:
    """3,000 batches over a week, drawn as fewer: at least the peak of the law summed batch by batch, and at most a quarter more.

    Scanners show it best: a batch's are three times as dense as those of even sending.
    """
    campaign = EmailBlast(list_size=1_000_000, sent_over=7 * 86400.0, batches=3_000)
    plan = plan_one(campaign)
    last = np.linspace(0.0, 120.0, 241)  # after the start of the last batch
    starts = 201.6 * np.arange(3_000)
    truth = sum(scan_flow(starts[-1] + last - start, 60.0) for start in starts[-10:]) * scans(campaign) / 3_000
    assert truth.max() < plan.scanners.max() < 1.25 * truth.max()
    assert plan.scanners.max() > 2 * plan_one(campaign.model_copy(update={"batches": 1})).scanners.max()


def test_a_throttle_slows_the_sending_and_time_zones_spread_it() -> None:
    """100,000 mails an hour for a list of a million is ten hours; half the list six hours later lowers the peak."""
    slow = planned(EmailBlast(list_size=1_000_000, sent_over=60.0, throttle=100_000 / 3600))
    assert slow.peak == pytest.approx(planned(EmailBlast(list_size=1_000_000, sent_over=36_000.0)).peak, rel=0.005)
    at_once = planned(EmailBlast(list_size=1_000_000, sent_over=1800.0))
    zones = planned(
        EmailBlast(list_size=1_000_000, sent_over=1800.0, time_zones=(TimeZone(later=0, share=0.5), TimeZone(later=21600, share=0.5)))
    )
    assert 0.5 * at_once.peak < zones.peak < 0.65 * at_once.peak
    assert zones.total == pytest.approx(at_once.total, rel=1e-4)


def test_opens_links_and_last_times_figures_replace_the_defaults() -> None:
    """open_rate × click_to_open is the click rate; scanning gateways are counted by their links; a measured delay is used as it is."""
    opened = planned(EmailBlast(list_size=100_000, sent_over=600.0, open_rate=0.2, click_to_open=0.1))
    assert opened.total == pytest.approx(100_000 * 0.99 * 0.02, rel=1e-3)
    scanned = planned(EmailBlast(list_size=100_000, sent_over=1800.0, gateways=0.3, links=3))
    assert np.trapezoid(scanned.scanners, scanned.times) == pytest.approx(100_000 * 0.99 * 0.9, rel=1e-3)
    assert scanned.scanners.max() == pytest.approx(50.0, rel=0.02)  # a hundred times the visitors
    quick = planned(EmailBlast(list_size=100_000, sent_over=60.0, half_of_clicks_within=600.0, click_spread=1.0))
    arrived = Integral(quick.times, quick.visitors)
    assert arrived.at(630.0) / arrived.total == pytest.approx(0.5, abs=0.005)


def test_personal_send_times_spread_a_mail_over_a_day() -> None:
    """Nobody is lost; the peak is the day's average times the best hour's factor, less what the clicks' own delay smooths away."""
    plan = planned(EmailBlast(list_size=1_000_000, sent_over=1800.0, send_times="personal"))
    assert plan.total == pytest.approx(28_710, rel=1e-3)
    assert 1.0 < plan.peak / (28_710 / 86400) < 2.0
    assert 12 * 3600 < plan.peak_at < 24 * 3600


def test_a_post_that_nobody_passes_on_peaks_at_its_seeds_alone() -> None:
    """R = 0: seeds × the kernel's flat density, c over the share that comes within 48 hours."""
    plan = planned(ViralSpike(seed_visitors=10_000, passed_on=0.0))
    assert plan.peak == pytest.approx(10_000 * 6.265725e-4 / uncut_cdf(np.array([48 * 3600.0]))[0], rel=0.005)


def test_passing_on_raises_the_peak_as_the_renewal_equation_says_at_once() -> None:
    """While both kernels are flat, t ≤ 300 s: λ' = (c/K)·R·λ, so the peak is s·e^(R·c·300/K), with K the kernel's share within 48 hours."""
    plan = planned(ViralSpike(seed_visitors=10_000, passed_on=0.8))
    flat = 6.265725e-4 / uncut_cdf(np.array([48 * 3600.0]))[0]
    assert plan.peak == pytest.approx(10_000 * flat * np.exp(0.8 * flat * 300.0), rel=0.02)
