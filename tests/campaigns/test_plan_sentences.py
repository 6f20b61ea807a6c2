"""What `surge plan` says: numbers that agree with the plan, clock times, the lever, and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.campaigns.sentences import busiest_minute, clock, describe, sparkline, spell, to_json
from harness.scenario.model import Campaign, EmailBlast, Journey, Page, Scenario, ViralSpike, Webcast

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
LOOK = (Journey(name="look", share=1.0, steps=(Page(url="/"),)),)


def told(campaign: Campaign) -> str:
    scenario = Scenario(name="Spring", campaign=campaign, promises=(), journeys=LOOK)
    plan = plan_campaign(scenario)
    return "\n".join(describe(plan, hardest(plan, scenario), scenario))


def test_a_mail_is_told_with_its_clock_its_scanners_and_its_lever() -> None:
    """Visitors, the peak's clock time, the scanners apart, and what twice the sending time would do."""
    text = told(EmailBlast(list_size=1_000_000, sent_over=1800.0, starts=NINE))
    assert "28,7" in text and "visitors are expected" in text
    assert "3.84 visitors/s 30 min after the first mail (09:30:00)" in text
    assert "never counted as visitors" in text
    assert "Sent over 1 h instead of 30 min, arrivals would peak at 2.69/s (-30%)" in text
    assert "In two batches, each as quick as it can be, instead of evenly, arrivals would peak at" in text
    assert "In 8 batches instead of 4" in told(EmailBlast(list_size=1_000_000, sent_over=7200.0, batches=4))
    assert "Assumed:" in text


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


def test_the_curve_in_blocks_is_as_wide_as_asked_and_reaches_the_top() -> None:
    """One full block at the peak, marks at both ends."""
    scenario = Scenario(name="x", campaign=Webcast(registrants=5_000), promises=(), journeys=LOOK)
    blocks, marks = sparkline(plan_campaign(scenario), width=60)
    assert len(blocks) == 60 and len(marks) == 60
    assert blocks.count("█") >= 1
    assert marks.startswith("−")


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
