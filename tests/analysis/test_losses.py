"""What a campaign would lose: ranges that follow from the plan, the interval and the overload that was measured."""

import numpy as np
import pytest

from harness.analysis.losses import Overload, losses
from harness.campaigns.plan import Timeline
from harness.result import BreakingPoint, Losses
from tests.analysis.rehearsal import mail, point, unfound

GRACEFUL = Overload(answered=1.0, goodput=1.0, failing=1.0, wait=0.0)
QUEUEING = Overload(answered=1.0, goodput=0.2, failing=0.0, wait=30.0)
PEAK = 100.0


def hump(minutes: float = 60.0) -> Timeline:
    """Visitors rise from 0 to 100/s and fall again within the hour; one request each."""
    times = np.linspace(0, minutes * 60, 2001)
    rate = PEAK * (1 - np.abs(times / times[-1] * 2 - 1))
    return Timeline(times=times, visitors=rate, scanners=np.zeros_like(rate), concurrent=np.zeros_like(rate), requests=rate)


def lost(found: BreakingPoint, behaviour: Overload = GRACEFUL, timeline: Timeline | None = None) -> Losses | None:
    return losses(mail(PEAK), timeline or hump(), 600.0, PEAK, found, behaviour)


def test_a_site_that_turns_the_excess_away_loses_the_excess() -> None:
    """Over half the peak of a triangle of one hour: a quarter of all visitors, by geometry."""
    found = lost(point(49.999, 50.001))
    assert found is not None and found.visits is not None
    assert found.visits.low == pytest.approx(45_000, rel=0.01)
    assert found.visits.high == pytest.approx(45_000, rel=0.01)
    assert found.seconds_over == pytest.approx(1800, rel=0.01)
    assert found.over_from_seconds == pytest.approx(900 - 600, abs=5)  # on the clock of the campaign, whose start is plan second 600
    assert found.over_to_seconds == pytest.approx(2700 - 600, abs=5)


@pytest.mark.parametrize("behaviour", [GRACEFUL, QUEUEING, Overload(answered=0.4, goodput=0.1, failing=0.5, wait=10.0)])
@pytest.mark.parametrize("interval", [(20.0, 30.0), (50.0, 60.0), (95.0, 105.0)])
def test_the_three_layers_are_in_order_and_never_more_than_everybody(behaviour: Overload, interval: tuple[float, float]) -> None:
    found = lost(point(*interval), behaviour)
    assert found is not None and found.visits is not None
    assert 0 <= found.visits.low <= found.visits.mid <= found.visits.high <= hump().visitors.sum() * 1.8


def test_where_everybody_queues_nobody_is_lost_for_certain_but_many_will_not_wait() -> None:
    """People who leave keep the line as short as those who stay will bear, so about the excess leaves."""
    found = lost(point(49.0, 51.0), QUEUEING)
    assert found is not None and found.visits is not None
    assert found.visits.low == 0
    assert found.visits.mid == pytest.approx(45_000, rel=0.1)


def test_a_short_burst_into_a_queue_loses_nobody_who_waits_two_seconds() -> None:
    """A few seconds of excess stand in line for less than patience lasts."""
    found = lost(point(98.0, 99.0), QUEUEING, hump(minutes=2))
    assert found is not None and found.visits is not None
    assert found.visits.mid == 0
    assert found.visits.high > 0


def test_a_site_that_collapses_loses_more_than_one_that_sheds() -> None:
    collapse = lost(point(49.0, 51.0), Overload(answered=0.2, goodput=0.1, failing=1.0, wait=0.0))
    shedding = lost(point(49.0, 51.0), GRACEFUL)
    assert collapse is not None and shedding is not None and collapse.visits is not None and shedding.visits is not None
    assert collapse.visits.low > 1.5 * shedding.visits.low


def test_an_audience_that_stays_is_lost_once() -> None:
    """Nobody arrives any more, a thousand watch: those beyond what the site carries."""
    times = np.linspace(0, 3600, 361)
    still = np.full_like(times, 1.0)
    watching = Timeline(times=times, visitors=still * 1e-6, scanners=still * 0, concurrent=still * 1000, requests=still * 300)
    found = lost(point(49.999, 50.001), GRACEFUL, watching)
    assert found is not None and found.visits is not None
    assert found.visits.low == pytest.approx(500, rel=0.01)


def test_money_follows_the_scenario_and_never_exists_without_it() -> None:
    """3 % of visits at 60 GBP."""
    timeline, found = hump(), point(49.999, 50.001)
    with_money = losses(mail(PEAK), timeline, 0.0, PEAK, found, GRACEFUL)
    without = losses(mail(PEAK, money=False), timeline, 0.0, PEAK, found, GRACEFUL)
    assert with_money is not None and with_money.money is not None and with_money.visits is not None and without is not None
    assert with_money.money.mid == pytest.approx(with_money.visits.mid * 0.03 * 60)
    assert with_money.money.unit == "GBP"
    assert with_money.money.assumption == "3% of visits convert at 60 GBP each, as the scenario says"
    assert "not a forecast" in with_money.note
    assert without.money is None


@pytest.mark.parametrize(
    "found",
    [
        unfound("inconclusive"),
        unfound("inconclusive", cause="generator"),
        unfound("not_reached", low=50.0),
        point(40.0, 60.0, cause="generator"),
    ],
)
def test_a_run_that_could_not_tell_names_no_losses(found: BreakingPoint) -> None:
    assert lost(found) is None


@pytest.mark.parametrize("found", [unfound("not_reached", low=120.0), point(110.0, 130.0)])
def test_a_plan_that_fits_loses_nothing(found: BreakingPoint) -> None:
    """Zero is a finding, not a gap."""
    nothing = lost(found)
    assert nothing is not None and nothing.visits is not None
    assert (nothing.seconds_over, nothing.visits.high) == (0.0, 0.0)


def test_of_two_overloads_a_day_apart_the_worse_one_is_when_it_happens() -> None:
    """The calm day between them is no risk; the seconds and the losses are of both."""
    one = hump()
    day = 86_400.0
    times = np.concatenate([one.times, one.times + day])
    rate = np.concatenate([0.8 * one.visitors, one.visitors])
    both = Timeline(times=times, visitors=rate, scanners=0 * rate, concurrent=0 * rate, requests=rate)
    found = lost(point(49.999, 50.001), timeline=both)
    assert found is not None
    assert found.over_from_seconds == pytest.approx(day + 900 - 600, abs=5)
    assert found.over_to_seconds == pytest.approx(day + 2700 - 600, abs=5)
    assert found.seconds_over == pytest.approx(1800 + 1350, rel=0.01)


def test_a_site_broken_at_the_lowest_load_puts_every_visit_at_risk() -> None:
    found = lost(unfound("broken_at_baseline"))
    assert found is not None and found.visits is not None
    assert found.visits.low == 0
    assert found.visits.high == pytest.approx(180_000, rel=0.01)
