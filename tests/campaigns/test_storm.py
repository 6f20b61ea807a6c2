"""A stream that drops: how players come back, what it does to the plan, and the closing link and the replay mail after it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.campaigns import plan_campaign
from harness.campaigns.curve import Integral
from harness.campaigns.moment import hardest, timeline
from harness.campaigns.plan import ArrivalPlan
from harness.campaigns.storm import BackOff, attempts, storm
from harness.campaigns.webcast import audience_at
from harness.scenario.campaign import ReplayMail, StreamDrop, Webcast
from harness.scenario.model import Journey, Page, Scenario, Watch
from harness.scenario.spread import Spread

LIVE = (Journey(name="watch", share=1.0, steps=(Page(url="/"), Watch(url="/x", duration=Spread.fixed(3600)))),)


def scenario(**more: object) -> Scenario:
    return Scenario(name="test", campaign=Webcast.model_validate({"registrants": 10_000, **more}), promises=(), journeys=LIVE)


def planned(**more: object) -> ArrivalPlan:
    return plan_campaign(scenario(**more))


def test_the_first_wave_of_patient_players_is_even_over_one_to_five_seconds() -> None:
    """Each player's first attempt: uniform on [1, 5] s (KS); a stream that is back at once needs no other."""
    made = attempts("patient", 0.0, 1, 5_000)
    assert {len(each) for each in made} == {1}
    assert stats.kstest([each[0] for each in made], stats.uniform(1, 4).cdf).pvalue > 0.01
    _, failed, back = storm("patient", 0.0)
    assert failed.max() == 0.0
    assert back.max() == pytest.approx(0.25, rel=0.05)


def test_the_first_wave_of_full_jitter_is_even_over_one_second() -> None:
    """qN per second for a base of 1 s."""
    assert storm("jitter", 0.0)[2].max() == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("back_off", ["none", "patient", "jitter"])
@pytest.mark.parametrize("lasts", [0.0, 20.0, 120.0])
def test_the_expected_storm_equals_simulated_players(back_off: BackOff, lasts: float) -> None:
    """Everybody comes back once; failed attempts within four standard errors of 4,000 players drawn one by one."""
    made = attempts(back_off, lasts, 3, 4_000)
    times, failed, back = storm(back_off, lasts)
    counts = np.array([len(each) - 1 for each in made])
    assert np.trapezoid(back, times) == pytest.approx(1.0, rel=1e-3)
    assert np.trapezoid(failed, times) == pytest.approx(counts.mean(), abs=4 * counts.std() / np.sqrt(len(counts)) + 0.01)
    assert all(each[-1] >= lasts and np.all(each[:-1] < lasts) for each in made)


def test_back_off_protects_the_site() -> None:
    """While the stream is away for two minutes, players without back-off ask many times more often than patient ones."""
    asked = {policy: float(np.trapezoid(*storm(policy, 120.0)[1::-1])) for policy in ("none", "patient", "jitter")}
    assert asked["none"] > 10 * asked["patient"]
    assert asked["none"] > 5 * asked["jitter"]


def test_a_drop_brings_back_as_many_as_it_lost_and_nobody_new() -> None:
    """Visitors stay what they were; those who return are the share of viewers present at the drop."""
    calm, storming = planned(), planned(stream_drop=StreamDrop(at=1200.0, share=0.5))
    assert storming.total == pytest.approx(calm.total, rel=1e-3)
    assert storming.peak == pytest.approx(calm.peak, rel=5e-3)
    assert calm.stay is not None and storming.returning is not None
    present = audience_at(Integral(calm.times, calm.visitors), calm.stay, calm.zero + 1200.0)
    assert Integral(storming.times, storming.returning).total == pytest.approx(0.5 * present, rel=0.01)
    assert storming.returning.max() == pytest.approx(0.5 * present / 4, rel=0.03)


def test_the_storm_is_the_hardest_moment_and_the_audience_is_counted_once() -> None:
    """It comes in the seconds after the drop; when all are back the audience is what it was."""
    its = scenario(stream_drop=StreamDrop(at=1200.0))
    plan = plan_campaign(its)
    moment = hardest(plan, its)
    assert 0.0 < moment.at - plan.zero - 1200.0 < 10.0
    assert moment.visitors_per_second > 10 * plan.peak
    whole = timeline(plan, its)
    before, gone, back = np.interp(plan.zero + 1200.0 + np.array([-1.0, 0.5, 10.0]), whole.times, whole.concurrent)
    assert gone < 0.1 * before
    assert back == pytest.approx(before, rel=0.02)


def test_the_closing_link_is_followed_by_its_share_of_those_present() -> None:
    """p·N/25 per second at the end, and never new visitors."""
    plan = planned(length=1800.0, call_to_action=0.15)
    assert plan.hits is not None and plan.stay is not None
    calm = planned(length=1800.0)
    present = audience_at(Integral(calm.times, calm.visitors), plan.stay, plan.stay.until)
    assert plan.hits.max() == pytest.approx(0.15 * present / 25.0, rel=0.01)
    assert Integral(plan.times, plan.hits).total == pytest.approx(0.15 * present, rel=0.01)
    assert plan.total == pytest.approx(calm.total, rel=1e-3)


def test_the_replay_mail_brings_its_own_visitors_after_the_event() -> None:
    """10,000 registrants × delivered × 10 per cent, from an hour after the end on."""
    calm, plan = planned(), planned(replay_mail=ReplayMail())
    assert plan.total - calm.total == pytest.approx(10_000 * 0.99 * 0.10, rel=0.005)
    late = Integral(plan.times, plan.visitors)
    assert late.at(plan.zero + 7200.0) == pytest.approx(calm.total, rel=1e-3)


def test_a_drop_after_the_end_is_refused() -> None:
    """With both times in the message."""
    with pytest.raises(ValueError, match="ends after 1800 s"):
        planned(length=1800.0, stream_drop=StreamDrop(at=1800.0))


def test_a_stream_that_is_away_all_day_is_planned_at_once() -> None:
    """86,400 attempts a player neither take long nor fill the memory: a few thousand points at most."""
    for policy in ("none", "patient", "jitter"):
        times, _, back = storm(policy, 86400.0)
        assert len(times) < 4000
        assert np.trapezoid(back, times) == pytest.approx(1.0, rel=0.01)
