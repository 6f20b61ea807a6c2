"""What `surge plan` says: numbers that agree with the plan, clock times, the lever, and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from harness.campaigns import plan_campaign
from harness.campaigns.blocks import curves
from harness.campaigns.curve import Integral
from harness.campaigns.moment import hardest
from harness.campaigns.sentences import busiest_minute, describe, to_json
from harness.campaigns.words import clock, people, spell
from harness.scenario.campaign import StreamDrop
from harness.scenario.model import Campaign, EmailBlast, Journey, Page, Scenario, ViralSpike, Watch, Webcast
from harness.scenario.spread import Spread

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
LOOK = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)
LIVE = (Journey(name="watch", share=1.0, steps=(Page(url="/"), Watch(url="/x", duration=Spread.fixed(1200)))),)


def told(campaign: Campaign, journeys: tuple[Journey, ...] = LOOK) -> str:
    scenario = Scenario(name="Spring", campaign=campaign, promises=(), journeys=journeys)
    plan = plan_campaign(scenario)
    return "\n".join(describe(plan, hardest(plan, scenario), scenario))


def test_a_mail_is_told_with_its_clock_its_scanners_and_its_lever() -> None:
    """Visitors, the peak's clock time, the scanners apart, and what twice the sending time would do."""
    text = told(EmailBlast(list_size=1_000_000, sent_over=1800.0, starts=NINE))
    assert "28,7" in text and "visitors are expected" in text
    assert "3.84 visitors/s 30 min after the first mail (09:30:00)" in text
    assert "never count as visitors" in text
    assert "Sent over 1 h instead of 30 min, arrivals would peak at 2.69/s (30% less)." in text
    assert "In two batches, each as quick as it can be, instead of evenly, arrivals would peak at" in text
    assert "In 8 batches instead of 4" in told(EmailBlast(list_size=1_000_000, sent_over=7200.0, batches=4))
    assert "In 400 batches instead of 200" in told(EmailBlast(list_size=1_000_000, sent_over=86400.0, batches=200))
    assert "Assumed:" in text


def test_batches_without_pauses_are_told_to_be_even_sending() -> None:
    """1,000 batches of a minute do not fit into two hours with pauses; no lever is offered that would change nothing."""
    text = told(EmailBlast(list_size=1_000_000, sent_over=7200.0, batches=1_000))
    assert "1,000 batches follow each other without a pause: the same as even sending" in text
    assert "batches instead" not in text
    assert "drawn as 1,000 larger ones" in told(EmailBlast(list_size=1_000_000, sent_over=7 * 86400.0, batches=3_000))


def test_what_ends_a_viewers_visit_is_told() -> None:
    """The journey's 20 minutes, less 8 per cent who leave within five minutes and 0.15 per cent a minute later; or the event's end."""
    kept = 300 * (1 - 0.08 / 2) + sum(0.92 * 0.9985**minute * 60 for minute in range(15))
    text = told(Webcast(registrants=1_000), LIVE)
    assert f"watches for {spell(kept)[:6]}" in text and "20 min by the journey" in text
    assert "watches for 9 min" in told(Webcast(registrants=1_000, length=600.0), LIVE)
    assert "watches for" not in told(Webcast(registrants=1_000))


def test_how_many_join_near_the_start_is_the_mixtures_own_share() -> None:
    """The sentence's share against the plan's integral over the same seconds, for doors that fill quickly and slowly."""
    for punctuality in (30.0, 90.0, 300.0):
        plan = plan_campaign(Scenario(name="x", campaign=Webcast(registrants=5_000, punctuality=punctuality), promises=(), journeys=LIVE))
        joined = Integral(plan.times, plan.visitors)
        near = float(joined.at(plan.zero + 2 * punctuality) - joined.at(plan.zero - 2 * punctuality)) / joined.total
        said = next(sentence for sentence in plan.assumptions if "of the start" in sentence)
        assert float(said.split("%")[0]) == pytest.approx(100 * near, abs=1.0)


def test_a_second_that_single_requests_make_harder_is_told() -> None:
    """Players that ask again every second while the stream is away: the plan says that this second is not rehearsed, and how hard it is."""
    quiet = "no second is harder for them than the moment above"
    assert quiet in told(Webcast(registrants=10_000, call_to_action=0.15), LIVE)
    away = StreamDrop(at=1200.0, lasts=60.0, back_off="none")
    assert quiet in told(Webcast(registrants=10_000, stream_drop=away), LIVE)
    text = told(Webcast(registrants=10_000, call_to_action=0.9, punctuality=300.0))
    assert "They make another second harder than the moment above" in text and "that second remains untested" in text


def test_players_without_patience_are_offered_some() -> None:
    """The lever is computed: patient players come back over four seconds instead of one."""
    text = told(Webcast(registrants=10_000, stream_drop=StreamDrop(at=1200.0, lasts=60.0, back_off="none")), LIVE)
    assert "With players that wait before they try again, visits would peak at" in text


@pytest.mark.parametrize(("number", "words"), [(0.2, "hardly any"), (1, "1"), (640.4, "640"), (71_280, "71,300"), (1_022_325, "1,020,000")])
def test_people_are_told_with_the_figures_that_a_plan_knows(number: float, words: str) -> None:
    """Three of them."""
    assert people(number) == words


def test_a_mail_without_scanners_does_not_speak_of_them() -> None:
    """No scanners, no sentence about them."""
    assert "Security scanners add" not in told(EmailBlast(list_size=1_000, sent_over=600.0, scanner_share=0.0))


def test_a_webcast_and_a_post_are_told_from_their_own_start() -> None:
    """Times are relative to what people call the start."""
    assert "at the start" in told(Webcast(registrants=1_000))
    assert "after the post" in told(ViralSpike(seed_visitors=1_000))


def test_the_busiest_minute_of_a_webcast() -> None:
    """Any sixty seconds, not a clock's minute: a little more than 16 per cent of the audience."""
    scenario = Scenario(name="x", campaign=Webcast(registrants=5_000), promises=(), journeys=LOOK)
    visitors, share = busiest_minute(plan_campaign(scenario))
    assert 0.16 < share < 0.20
    assert visitors == pytest.approx(2_000 * share)


def test_clock_times_before_the_start_and_on_another_day() -> None:
    """A minute before the hour, and a date when the day is another."""
    scenario = Scenario(name="x", campaign=Webcast(registrants=5_000, starts=NINE), promises=(), journeys=LOOK)
    plan = plan_campaign(scenario)
    assert clock(plan, plan.zero - 60.0, "the start") == "1 min before the start (08:59:00)"
    assert clock(plan, plan.zero + 86400.0, "the start") == "1 day after the start (09:00:00 on 2026-12-02)"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (42, "42 s"), (200, "3 min 20 s"), (3600, "1 h"), (604800, "7 days"), (90000, "1 day 1 h")]
)
def test_durations_are_spelt_with_the_two_units_that_matter(seconds: float, words: str) -> None:
    """No more precision than people use."""
    assert spell(seconds) == words


def test_the_curves_in_blocks_are_as_wide_as_asked_and_reach_the_top() -> None:
    """A full block at each peak, the hardest moment in sight, marks of time below."""
    scenario = Scenario(name="x", campaign=Webcast(registrants=5_000), promises=(), journeys=LIVE)
    plan = plan_campaign(scenario)
    moment = hardest(plan, scenario)
    visits, requests, marks = curves(plan, moment, scenario, width=50)
    for line in (visits, requests):
        assert len(line[11:61]) == 50 and line[11:61].count("█") >= 1 and line[61:65] == " up "
    assert visits.endswith("up to 7.15") and requests.startswith("requests/s ")
    assert requests[11:61].rindex("█") > visits[11:61].rindex("█")  # viewers stay when nobody joins any more
    assert len(marks) == 61 and "from the start" in marks and marks[11] == "−"


def test_the_json_of_a_plan_is_plain_and_short() -> None:
    """Serialisable, at most 400 points, the peak among them, times since the start."""
    scenario = Scenario(name="x", campaign=EmailBlast(list_size=1_000_000, sent_over=1800.0), promises=(), journeys=LOOK)
    plan = plan_campaign(scenario)
    found = json.loads(to_json(plan, hardest(plan, scenario), scenario))
    curve = found["curve"]
    assert len(curve["seconds"]) == len(curve["visitors_per_second"]) <= 400
    assert max(curve["visitors_per_second"]) == pytest.approx(plan.peak)
    assert found["peak_at_seconds"] == pytest.approx(plan.peak_at)


def test_planning_never_imports_the_heavy_rooms() -> None:
    """No locust, gevent, pandas, scipy or chart code is loaded to answer `surge plan`."""
    code = (
        "import sys\nfrom harness.campaigns import plan_campaign, moment, sentences, email_blast\n"
        "print([m for m in ('locust', 'gevent', 'pandas', 'scipy', 'altair', 'jinja2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
