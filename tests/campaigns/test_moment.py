"""The hardest moment: who stands where, against Little's law and against a simulation of every single visitor."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest, timeline
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.schedule import schedule
from harness.scenario.model import Campaign, EmailBlast, Journey, Page, Poll, Post, Scenario, Think, Watch, Webcast
from harness.scenario.spread import Spread

SHOP = (
    Journey(
        name="buy",
        share=0.4,
        steps=(Page(url="/"), Think(pause=Spread.uniform(5, 20)), Page(url="/a"), Think(pause=Spread.about(8)), Post(url="/b")),
    ),
    Journey(name="look", share=0.6, steps=(Page(url="/"),)),
)
LIVE = (
    Journey(
        name="watch",
        share=0.85,
        steps=(
            Page(url="/"),
            Think(pause=Spread.fixed(10)),
            Watch(url="/x", duration=Spread.uniform(600, 1800), meanwhile=(Poll(get="/q", every=10),)),
        ),
    ),
    Journey(name="look", share=0.15, steps=(Page(url="/"),)),
)


def scenario(campaign: Campaign, journeys: tuple[Journey, ...]) -> Scenario:
    return Scenario(name="test", campaign=campaign, promises=(), journeys=journeys)


def test_short_visits_obey_littles_law() -> None:
    """Visitors in a pause = arrivals/s × share × mean pause, within 1 per cent; requests/s = arrivals/s × requests a visit."""
    its = scenario(EmailBlast(list_size=1_000_000, sent_over=4 * 3600.0), SHOP)
    plan = plan_campaign(its)
    moment = hardest(plan, its)
    assert moment.visitors_per_second == pytest.approx(plan.peak, rel=0.005)
    assert moment.dwelling[(0, 1)] == pytest.approx(moment.visitors_per_second * 0.4 * 12.5, rel=0.01)
    assert moment.dwelling[(0, 3)] == pytest.approx(moment.visitors_per_second * 0.4 * Spread.about(8).mean, rel=0.01)
    assert set(moment.dwelling) == {(0, 1), (0, 3)}
    assert moment.requests_per_second == pytest.approx(moment.visitors_per_second * (0.4 * 3 + 0.6) + moment.scanners_per_second, rel=0.01)
    assert moment.concurrent == pytest.approx(sum(moment.dwelling.values()))


def test_a_webcast_is_hardest_when_most_are_watching() -> None:
    """Minutes after the start, not at it: most who join have joined, few have left; the unit stays the peak of arrivals."""
    its = scenario(Webcast(registrants=20_000, length=2700.0), LIVE)
    plan = plan_campaign(its)
    moment = hardest(plan, its)
    assert 120.0 < moment.at - plan.zero < 1200.0
    assert moment.peak == plan.peak
    assert moment.visitors_per_second < 0.5 * plan.peak
    assert 0.6 * 8000 * 0.85 < moment.dwelling[(0, 2)] < 8000 * 0.85
    polled = moment.dwelling[(0, 2)] * (2 / 6 + 1 / 10)
    assert moment.requests_per_second == pytest.approx(polled, rel=0.02)


def test_everybody_has_left_two_minutes_after_the_event() -> None:
    """The curve of visitors present ends with the event, however long they meant to watch."""
    its = scenario(Webcast(registrants=20_000, length=900.0), LIVE)
    plan = plan_campaign(its)
    whole = timeline(plan, its)
    end = plan.zero + 900.0
    assert whole.concurrent[whole.times > end + 120.0].max(initial=0.0) < 1e-3
    assert np.interp(end, whole.times, whole.concurrent) > 0.5 * 8000 * 0.85


def simulated(plan: ArrivalPlan, at: float, seeds: int) -> dict[str, float]:
    """Every visitor one by one: who watches at plan second `at`, averaged over `seeds` campaigns."""
    watching = thinking = 0
    for seed in range(seeds):
        random = Random(seed)
        for came in schedule(plan, seed):
            if random.random() >= 0.85:
                continue
            begins = came + 10.0
            ends = begins + random.uniform(600.0, 1800.0)
            assert plan.stay is not None
            bored = random.random()
            age = np.linspace(0.0, 1800.0, 1801)
            kept = plan.stay.kept(age)
            ends = min(ends, begins + float(np.interp(-bored, -kept, age, right=1e9)), plan.stay.until)
            thinking += came <= at < begins
            watching += begins <= at < ends
    return {"watching": watching / seeds, "thinking": thinking / seeds}


@pytest.mark.parametrize("since", [-60.0, 0.0, 500.0, 1500.0])
def test_concurrency_equals_the_sum_over_simulated_viewers(since: float) -> None:
    """Expected viewers at four moments of a small webcast against twenty simulated ones, within four standard errors."""
    its = scenario(Webcast(registrants=1_000, length=2700.0), LIVE)
    plan = plan_campaign(its)
    seeds = 20
    found = simulated(plan, plan.zero + since, seeds)
    whole = timeline(plan, its)
    expected = float(np.interp(plan.zero + since, whole.times, whole.concurrent))
    assert found["watching"] + found["thinking"] == pytest.approx(expected, abs=4 * np.sqrt(expected / seeds))


def test_who_stands_where_at_the_hardest_moment_equals_simulated_viewers() -> None:
    """The seats that a surge fills, step by step, against twenty webcasts simulated visitor by visitor: within four standard errors.

    Once an hour's event in its quiet middle, once a quarter of an hour's, which ends before most would have left.
    """
    for length in (2700.0, 900.0):
        its = scenario(Webcast(registrants=1_000, length=length), LIVE)
        plan = plan_campaign(its)
        moment = hardest(plan, its)
        found = simulated(plan, moment.at, 20)
        for place, name in (((0, 1), "thinking"), ((0, 2), "watching")):
            assert found[name] == pytest.approx(moment.dwelling[place], abs=4 * np.sqrt(moment.dwelling[place] / 20)), name


def test_the_timeline_holds_the_hardest_moment() -> None:
    """No point of the curve of requests is above the moment that was chosen."""
    for its in (scenario(EmailBlast(list_size=100_000, sent_over=600.0), SHOP), scenario(Webcast(registrants=3_000), LIVE)):
        plan = plan_campaign(its)
        whole = timeline(plan, its)
        assert whole.requests.max() <= hardest(plan, its).requests_per_second * (1 + 1e-9)
        assert np.all(np.diff(whole.times) > 0)
        assert len(whole.times) < 6000
