"""The figures: what their captions claim is in the data, spikes survive thinning, drawings are small and the same every time."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from report_factory import story

from harness.report import campaign_chart, charts, facts, timelines
from harness.report.thin import every, spikes
from harness.result import AnswerCurve


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=2_000), st.integers(4, 200))
def test_thinning_keeps_the_highest_and_the_lowest(values: list[float | None], limit: int) -> None:
    """However few points remain, the worst second of the test is one of them."""
    kept = spikes(values, limit)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(limit, 2)
    present = [value for value in values if value is not None]
    if present:
        shown = [value for place in kept if (value := values[place]) is not None]
        assert max(shown) == max(present)
        assert min(shown) == min(present)


@given(st.integers(1, 5_000), st.integers(2, 300))
def test_even_thinning_keeps_both_ends(count: int, limit: int) -> None:
    """A folded table begins and ends where the test did."""
    kept = every(count, limit)
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert len(kept) <= limit or count <= limit


def test_the_peak_of_the_campaign_is_a_row_of_its_numbers() -> None:
    """Whoever copies the numbers gets the highest one."""
    told = story("not-ready-email").result
    figure = campaign_chart.campaign(told)
    assert ("10:10", "5,000") in figure.table.rows


def test_mail_scanners_are_told_and_weigh_only_as_much_as_they_load() -> None:
    """Scanners may outnumber visitors fourfold while each is a single request: no line of their own, but a part of the whole load's."""
    told = story("not-ready-email").result
    plan = told.campaign.model_copy(update={"scanners_peak_per_second": 177.0})
    aside = campaign_chart.campaign(told.model_copy(update={"campaign": plan})).aside
    assert "up to 11,000 mail scanners a minute load the site as well; they are no visitors" in aside
    assert campaign_chart.campaign(told).aside == ""


def test_people_who_come_back_are_told_as_load_and_not_as_visitors() -> None:
    """The countdown of a sale, or players that lost a stream: the numbers of the page are new visitors."""
    told = story("not-ready-email").result
    plan = told.campaign.model_copy(update={"returning_peak_per_second": 20.0})
    figure = campaign_chart.campaign(told.model_copy(update={"campaign": plan}))
    assert "are load as well, up to 1,200 visits a minute" in figure.aside


def test_what_is_at_risk_is_read_off_the_line_that_decides_it() -> None:
    """Where scanners weigh, the whole load is drawn, and above the limit while the campaign is at risk; its table has the numbers."""
    told = story("not-ready-email").result
    plan, limit = told.campaign, told.breaking_point.visitors_per_second
    assert limit is not None
    load = [rate if 180 <= at <= 660 else 0.3 * rate for at, rate in zip(plan.curve_seconds, plan.curve_visitors_per_second, strict=True)]
    both = told.model_copy(update={"campaign": plan.model_copy(update={"curve_load_visitors_per_second": load})})
    assert campaign_chart.whole_load(both) == load
    over = [at for at, rate in zip(plan.curve_seconds, load, strict=True) if rate > limit]
    first, last = facts.risk(both) or (0.0, 0.0)
    assert first <= over[0] <= over[-1] <= last
    unpriced = facts.risk(both.model_copy(update={"losses": None}))  # then it is read off the line itself
    assert unpriced is not None
    assert over[0] - 40 <= unpriced[0] <= over[0] <= over[-1] <= unpriced[1] <= over[-1] + 40
    figure = campaign_chart.campaign(both)
    assert figure.caption == "More load is planned than the site can serve from 10:03 to 10:11 (8 minutes, shaded)."
    assert "where it is above what the site can serve, the campaign is at risk" in figure.aside
    assert figure.table.head[2] == "Whole load, in visitors a minute"
    assert "everything that loads the site, counted in visitors" in [key.name for key in figure.keys]
    assert campaign_chart.whole_load(told) == []
    same = plan.model_copy(update={"curve_load_visitors_per_second": plan.curve_visitors_per_second})
    assert campaign_chart.whole_load(told.model_copy(update={"campaign": same})) == []


def test_rare_moments_do_not_make_a_capacity() -> None:
    """A burst seen for a twentieth of a second weighs as much as it lasted: not the highest point, but the busiest half of the time."""
    curve = AnswerCurve(in_flight=[1.0, 20.0, 40.0, 90.0], answers_per_second=[30.0, 190.0, 194.0, 900.0], seconds=[10.0, 6.0, 5.0, 0.05])
    assert 190 < facts.under_pressure(curve) < 200


def test_a_drawing_is_the_same_every_time_and_brings_no_font_or_colour_of_its_own() -> None:
    """Ids are unique and stable; every colour is a variable of the page, so that night and print can change it."""
    told = story("ready")
    seconds = timelines.seconds_of(told.series)
    first, again = charts.latency(told.result, seconds), charts.latency(told.result, seconds)
    assert first is not None
    assert again is not None
    assert (first.wide, first.narrow) == (again.wide, again.narrow)
    for drawing in (first.wide, first.narrow):
        assert "font-family" not in drawing
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawing)) - {"none", "transparent"}
        assert colours
        assert all(colour.startswith("var(--") for colour in colours), colours
        assert not re.search(r"\d\.\d{3,}", re.sub(r"<title.*?</desc>", "", drawing))
