"""Advice: what is advised fits when it is planned again, and a change that is less than that does not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from harness.analysis import gentler
from harness.analysis.advice import MARGIN, advice, span, written
from harness.analysis.gentler import Original
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.result import Advice
from harness.scenario.campaign import Entry
from harness.scenario.model import (
    Calendar,
    EmailBlast,
    FlashSale,
    Get,
    Journey,
    Measured,
    Page,
    Post,
    Scenario,
    Think,
    ViralSpike,
    Watch,
    Webcast,
)
from harness.scenario.spread import Spread
from harness.scenario.units import read_count, read_duration
from tests.analysis.rehearsal import mail, point, unfound
from tests.sim.rig import PROMISES

ROOM = 1 - MARGIN


def scenario(random: np.random.Generator) -> Scenario:
    """A campaign such as people plan: any of the kinds that have a lever."""
    kind = random.choice(("email_blast", "webcast", "flash_sale"))
    campaign: EmailBlast | Webcast | FlashSale
    if kind == "email_blast":
        campaign = EmailBlast(
            list_size=int(random.integers(10_000, 3_000_000)),
            sent_over=float(random.choice((60.0, 300.0, 600.0, 1800.0, 3600.0))),
            click_rate=float(random.uniform(0.01, 0.06)),
            audience=random.choice(("typical", "engaged")),
            scanner_share=float(random.uniform(0.0, 0.6)),
        )
    elif kind == "webcast":
        campaign = Webcast(registrants=int(random.integers(200, 50_000)), attendance=float(random.uniform(0.2, 0.6)), length=2700.0)
    else:
        campaign = FlashSale(invited=int(random.integers(1_000, 500_000)))
    watching = (Watch(url="/live", duration=Spread.uniform(600.0, 1200.0)),) if kind == "webcast" else ()
    return Scenario(
        name=kind,
        campaign=campaign,
        promises=PROMISES,
        journeys=(
            Journey(name="look", share=0.4, steps=(Page(url="/"),)),
            Journey(name="act", share=0.6, steps=(Get(url="/"), Think(pause=Spread.uniform(5.0, 20.0)), Post(url="/join"), *watching)),
        ),
    )


def advised(found: Scenario, low: float) -> tuple[Original, list[Advice]]:
    """The advice when `low` is the lower end of the breaking point, as a multiple of the campaign."""
    plan = plan_campaign(found)
    moment = hardest(plan, found)
    given = advice(found, plan, moment, point(low * moment.peak, low * moment.peak * 1.05))
    return Original(scenario=found, plan=plan, moment=moment, room=low * ROOM), given


def changed(original: Original, changes: dict[str, str]) -> Scenario:
    """The scenario as a reader of the advice would write it."""
    read = {"sent_over": read_duration, "batches": read_count, "registrants": read_count, "invited": read_count, "list_size": read_count}
    values = {key.removeprefix("campaign."): read[key.removeprefix("campaign.")](text) for key, text in changes.items()}
    return gentler.changed(original.scenario, **values)


def less_changed(original: Original, changes: dict[str, str]) -> Scenario:
    """One notch back on the scale on which the change was chosen: sent a little faster, in a batch fewer, to a few more."""
    campaign = changed(original, changes).campaign
    if "campaign.batches" in changes:
        fewer = [n for n in (1, *gentler.BATCHES) if n < campaign.batches]  # type: ignore[union-attr]
        return gentler.changed(original.scenario, sent_over=campaign.sent_over, batches=fewer[-1])  # type: ignore[union-attr]
    (key,) = changes
    lever = key.removeprefix("campaign.")
    now, was = getattr(campaign, lever), getattr(original.scenario.campaign, lever)
    if lever == "sent_over":
        return gentler.changed(original.scenario, sent_over=max([t for t in gentler.SENDING_TIMES if was < t < now], default=was))
    return gentler.changed(original.scenario, **{lever: min([n for n in gentler.sizes_below(was) if n > now], default=was)})


@pytest.mark.parametrize("seed", range(20))
def test_what_is_advised_fits_when_planned_again_and_a_lesser_change_does_not(seed: int) -> None:
    """Ten campaigns × capacities a seed, 200 in all; each advice read back from its own words."""
    random = np.random.default_rng(seed)
    checked = 0
    for _ in range(10):
        original, given = advised(scenario(random), float(random.uniform(0.1, 0.97)))
        for one in given:
            if not one.changes:
                continue
            assert one.checked
            assert gentler.hardness(changed(original, one.changes), original) <= original.room
            if "campaign.batches" not in one.changes or one.changes["campaign.batches"] != "2":
                assert gentler.hardness(less_changed(original, one.changes), original) > original.room
            checked += 1
    assert checked >= 10


def test_a_mail_is_told_how_slowly_and_in_how_many_batches() -> None:
    """Both ways to the same end, in the words that the scenario file takes."""
    _, given = advised(mail(100.0), 0.5)
    assert [sorted(one.changes) for one in given[:2]] == [["campaign.sent_over"], ["campaign.batches", "campaign.sent_over"]]
    assert given[0].text.startswith("Send the mail over ")
    assert given[2].audience == "it"
    assert "“GET /”" in given[2].text


def test_a_spike_cannot_be_slowed_and_is_told_the_capacity_that_is_missing() -> None:
    """Half of the peak, a tenth to spare: 2.2 times."""
    found = Scenario(
        name="story",
        campaign=ViralSpike(seed_visitors=100_000),
        promises=PROMISES,
        journeys=(Journey(name="read", share=1.0, steps=(Get(url="/"),)),),
    )
    _, given = advised(found, 0.5)
    assert "2.2 times the capacity" in given[0].text
    assert not given[0].checked


def test_of_a_calendar_the_smallest_move_of_one_campaign_that_fits_is_told() -> None:
    """Two mails in the same hour on a site that takes one of them."""
    nine = datetime(2026, 12, 1, 9, tzinfo=UTC)
    mails = [Entry(scenario=name, starts=nine, campaign=mail(100.0).campaign) for name in ("News", "Offer")]  # type: ignore[arg-type]
    both = mail(100.0).model_copy(update={"campaign": Calendar(campaigns=tuple(mails), starts=nine)})
    original, given = advised(both, 0.7)
    (move,) = [one for one in given if one.changes]
    assert move.checked
    assert move.text.startswith("Start “News” 1 hour later, at 10:00 on 01 December")
    later = Calendar(campaigns=(mails[0].model_copy(update={"starts": nine + timedelta(hours=1)}), mails[1]), starts=nine)
    assert gentler.hardness(both.model_copy(update={"campaign": later}), original) <= original.room
    assert gentler.hardness(both, original) == pytest.approx(1.0)


def test_last_times_visitors_are_told_the_scale_that_fits() -> None:
    """Half of the capacity, a tenth to spare: 45 % of the curve."""
    rows = tuple((60.0 * k, 60.0 * (k + 1), 1000.0 + 500 * k) for k in range(10))
    found = mail(100.0).model_copy(update={"campaign": Measured(curve="last.csv", points=rows)})
    given = advised(found, 0.5)[1]
    assert [one.changes for one in given if one.changes] == [{"campaign.scale": "0.45"}]


def test_a_throttle_that_is_slower_than_the_sending_time_is_what_counts_today() -> None:
    """A list of 600,000 at 100 a second takes 100 minutes, whatever `sent_over` says."""
    found = gentler.changed(mail(100.0), list_size=600_000, throttle=100.0)
    _, given = advised(found, 0.5)
    assert "instead of 1 hour 40 minutes" in given[0].text


def test_a_campaign_that_fits_is_told_to_go_and_how_much_larger_it_may_be() -> None:
    assert [one.text for one in advised(mail(100.0), 2.0)[1]] == ["Go ahead as planned. The same plan could be up to 1.8 times as large."]
    assert [one.text for one in advised(mail(100.0), 1.05)[1]] == ["Go ahead as planned, but not with more: less than a tenth is to spare."]


def test_without_a_measurement_there_is_no_advice() -> None:
    """Neither when the run could not tell nor when it was not pushed to the peak."""
    found = mail(100.0)
    plan = plan_campaign(found)
    moment = hardest(plan, found)
    assert advice(found, plan, moment, unfound("inconclusive")) == []
    assert advice(found, plan, moment, unfound("not_reached", low=50.0)) == []


def test_a_site_broken_at_the_lowest_load_gets_no_gentler_plan() -> None:
    found = mail(100.0)
    plan = plan_campaign(found)
    given = advice(found, plan, hardest(plan, found), unfound("broken_at_baseline", cause="server_errors"))
    assert [one.audience for one in given] == ["marketing", "it"]
    assert not any(one.changes for one in given)
    assert "times as much" not in given[1].text


@pytest.mark.parametrize(
    ("seconds", "said", "scenario_file"),
    [
        (90.0, "90 seconds", "1 min 30 s"),
        (2700.0, "45 minutes", "45 min"),
        (5400.0, "1 hour 30 minutes", "1 h 30 min"),
        (172800.0, "2 days", "48 h"),
    ],
)
def test_durations_are_said_and_written_as_people_do(seconds: float, said: str, scenario_file: str) -> None:
    """And what is written reads back as the same time."""
    assert span(seconds) == said
    assert written(seconds) == scenario_file
    assert read_duration(written(seconds)) == seconds
