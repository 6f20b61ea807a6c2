"""Flash sales, measured curves and calendars: their closed forms, their exact sums, and what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaigns import plan_campaign, plan_one
from harness.campaigns.calendar import collisions, parts, shares
from harness.campaigns.curve import Integral
from harness.campaigns.moment import hardest
from harness.campaigns.sentences import describe
from harness.scenario.campaign import Calendar, Campaign, EmailBlast, Entry, Everyday, FlashSale, Measured, OneCampaign, ViralSpike, Webcast
from harness.scenario.model import Journey, Page, Scenario

THIRD = datetime(2026, 12, 3, tzinfo=UTC)
LOOK = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)


def told(campaign: Campaign) -> str:
    scenario = Scenario(name="test", campaign=campaign, promises=(), journeys=LOOK)
    plan = plan_campaign(scenario)
    return "\n".join(describe(plan, hardest(plan, scenario), scenario))


def at(hours: float) -> datetime:
    return THIRD + timedelta(hours=hours)


def test_a_sale_peaks_at_its_opening_by_the_closed_form() -> None:
    """A·[w/240 + (1 − w)·0.7/(2·scale)] just before the opening, within 2 per cent; the audience is invited × turn_out."""
    plan = plan_one(FlashSale(invited=100_000, punctuality=30.0))
    assert plan.peak == pytest.approx(10_000 * (0.4 / 240 + 0.6 * 0.7 / 60), rel=0.02)
    assert plan.total == pytest.approx(10_000, rel=2e-3)
    assert abs(plan.peak_at - plan.zero) < 1.0


def test_who_waited_comes_back_at_the_opening_and_is_not_counted_again() -> None:
    """Everybody who arrived before the opening returns once, half of them within the reaction time; the peak is the lognormal's mode."""
    plan = plan_one(FlashSale(invited=100_000, reaction=2.0))
    waiting = float(Integral(plan.times, plan.visitors).at(plan.zero))
    assert plan.returning is not None
    back = Integral(plan.times, plan.returning)
    assert back.total == pytest.approx(waiting, rel=0.01)
    assert float(back.at(plan.zero + 2.0)) == pytest.approx(waiting / 2, rel=0.02)
    mode = 2.0 * np.exp(-0.36)
    assert plan.returning.max() == pytest.approx(waiting / (mode * 0.6 * np.sqrt(2 * np.pi)) * np.exp(-0.18), rel=0.02)


def test_when_the_stock_is_gone_the_crowd_thins_out() -> None:
    """Fewer come than without a limit; the sentence says when it is gone; more stock than buyers changes nothing."""
    endless, scarce = plan_one(FlashSale(invited=100_000)), plan_one(FlashSale(invited=100_000, stock=700))
    assert scarce.total < 0.97 * endless.total
    assert scarce.peak == pytest.approx(endless.peak, rel=5e-3)
    assert plan_one(FlashSale(invited=100_000, stock=5_000)).total == pytest.approx(endless.total)
    assert "the stock of 700 is gone" in told(FlashSale(invited=100_000, stock=700))


def test_a_measured_curve_keeps_every_interval_and_its_gaps() -> None:
    """Visitors of each row come within that row, scaled; nothing comes in the gap."""
    rows = ((0.0, 60.0, 10.0), (60.0, 120.0, 100.0), (300.0, 360.0, 5.0))
    plan = plan_one(Measured(curve="last.csv", points=rows, scale=2.0))
    counted = Integral(plan.times, plan.visitors).at(np.array([60.0, 120.0, 300.0, 360.1]))
    assert counted == pytest.approx([20.0, 220.0, 220.0, 230.0], abs=0.01)
    assert plan.peak == pytest.approx(200.0 / 60.0)
    assert np.all(np.diff(plan.times) > 0)


@pytest.mark.parametrize("rows", [(), ((0.0, 60.0, 1.0), (30.0, 90.0, 1.0)), ((0.0, 0.0, 1.0),)])
def test_a_curve_that_is_none_is_refused(rows: tuple[tuple[float, float, float], ...]) -> None:
    """No rows, rows that overlap, a row without a length."""
    with pytest.raises(ValueError, match=r"last\.csv"):
        plan_one(Measured(curve="last.csv", points=rows))


def busy_week() -> Calendar:
    mail = EmailBlast(list_size=300_000, sent_over=1800.0, starts=at(14.5))
    return Calendar(
        campaigns=(
            Entry(scenario="mail", campaign=mail),
            Entry(scenario="webcast", campaign=Webcast(registrants=5_000), starts=at(15)),
            Entry(scenario="post", campaign=ViralSpike(seed_visitors=20_000), starts=at(66)),
        ),
        everyday=Everyday(visitors_a_day=20_000),
    )


def test_a_calendar_says_who_makes_the_peak_and_what_collides() -> None:
    """The post makes the peak; mail and webcast collide around 15:00; the clock is the calendar's."""
    text = told(busy_week())
    assert "At the peak of the sum the visitors are: post 9" in text
    assert "mail and webcast collide" in text
    assert [(clash.first, clash.second) for clash in collisions(busy_week())] == [("mail", "webcast")]
    plan = plan_one(busy_week())
    assert plan.origin is not None and plan.origin + timedelta(seconds=plan.zero) == at(14.5)
    assert shares(busy_week(), plan.peak_at)[0][0] == "post"
    assert "The peak of the sum is higher, at another time." in text


def test_a_calendar_is_read_on_the_clock_of_its_first_campaign_even_when_the_clocks_change() -> None:
    """The night to 25 October 2026 has 25 hours in London."""
    london = ZoneInfo("Europe/London")
    entries = [
        Entry(scenario=f"mail {k}", campaign=EmailBlast(list_size=1000, sent_over=60.0), starts=datetime(2026, 10, day, 12, tzinfo=london))
        for k, day in enumerate((24, 25))
    ]
    plan = plan_one(Calendar(campaigns=tuple(entries)))
    assert plan.starts is not None and plan.starts.isoformat() == "2026-10-24T12:00:00+01:00"
    later = plan.clock_time(plan.zero + 25 * 3600)
    assert later is not None and later.isoformat() == "2026-10-25T12:00:00+00:00"


def test_a_calendar_says_whose_journeys_its_visitors_do() -> None:
    """Its own; and since nobody's retention is in the sum, nothing is assumed about it."""
    text = told(busy_week())
    assert "All visitors do the journeys of this calendar" in text and "the journeys of mail, webcast, post are rehearsed" in text
    assert "leave in the first 5 min" not in text
    assert "leave in the first 5 min" in told(Webcast(registrants=5_000))


def test_a_collision_that_is_the_peak_says_what_to_do() -> None:
    """Mail and webcast alone: their common minutes are the peak of the sum."""
    pair = Calendar(campaigns=busy_week().campaigns[:2])
    assert "This is the peak of the sum: move one of them." in told(pair)


dated = st.one_of(
    st.builds(EmailBlast, list_size=st.integers(1000, 1_000_000), sent_over=st.floats(60, 7200)),
    st.builds(Webcast, registrants=st.integers(100, 50_000)),
    st.builds(ViralSpike, seed_visitors=st.integers(100, 50_000), passed_on=st.floats(0, 0.8)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(dated, st.floats(0, 96)), min_size=1, max_size=4))
def test_a_calendar_is_the_sum_of_its_parts(campaigns: list[tuple[OneCampaign, float]]) -> None:
    """At any time the rate is the parts' together, and nobody is lost or invented."""
    calendar = Calendar(campaigns=tuple(Entry(scenario=f"c{i}", campaign=one, starts=at(h)) for i, (one, h) in enumerate(campaigns)))
    plan, each = plan_one(calendar), parts(calendar)
    t = np.random.default_rng(1).uniform(0, plan.times[-1], 500)
    whole = sum(np.interp(t, part.plan.times, part.plan.visitors, left=0.0, right=0.0) for part in each)
    assert np.interp(t, plan.times, plan.visitors) == pytest.approx(whole, rel=1e-6, abs=1e-9)
    assert plan.total == pytest.approx(sum(part.plan.total for part in each), rel=1e-5)
    assert plan.peak <= sum(part.plan.peak for part in each) * (1 + 1e-9)
    assert plan.peak >= max(part.plan.peak for part in each) * (1 - 1e-6)


def test_a_campaign_without_a_date_cannot_be_on_a_calendar() -> None:
    """The message names the scenario and what to write."""
    with pytest.raises(ValueError, match="webcast has no date"):
        plan_one(Calendar(campaigns=(Entry(scenario="webcast", campaign=Webcast(registrants=10)),)))
