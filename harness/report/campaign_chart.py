"""In: `Result`. Out: the campaign's figure: planned arrivals against the band that the site can serve, the stretch at risk shaded."""

from __future__ import annotations

from harness.report import facts, words
from harness.report.axis import campaign_axis
from harness.report.drawing import NARROW, PLAN, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import number, span
from harness.report.thin import every
from harness.result import Result

SCANNERS = 0.02
"""Below this share of the campaign's peak, mail scanners get no sentence. They are never drawn: each is far less load than a visitor."""


def campaign(result: Result) -> Figure:
    """Planned arrivals (dashed) against the band that the site can serve; the stretch at risk is shaded, phases are numbered."""
    plan, point, clock = result.campaign, result.breaking_point, words.clock(result)
    times, rates = plan.curve_seconds, plan.curve_visitors_per_second
    stretch = facts.risk(result)
    low, high = _window(times, rates, stretch)
    found = point.status == "found" and point.visitors_per_second is not None and result.verdict != "inconclusive"
    shown = [index for index, at in enumerate(times) if low <= at <= high]
    rows = [{"at": times[index], "rate": rates[index] * 60} for index in shown]
    phases = [phase for phase in plan.phases if phase.end_seconds > low and phase.start_seconds < high]
    top = max([row["rate"] for row in rows] + ([(point.high or point.visitors_per_second or 0) * 60] if found else [])) * 1.1

    def make(small: bool) -> Spec:
        x: Spec = {
            "field": "at",
            "type": "quantitative",
            "scale": {"domain": [low, high], "nice": False, "zero": False},
            "axis": campaign_axis(clock, low, high, ticks=4 if small else 9),
        }
        y: Spec = {"field": "rate", "type": "quantitative", "title": "visitors a minute", "scale": {"domain": [0, top], "nice": False}}
        layers: list[Spec] = []
        if stretch is not None:
            span_row = {"from": max(low, stretch[0]), "to": min(high, stretch[1])}
            layers.append(
                {
                    "data": values([span_row]),
                    "mark": {"type": "rect", "color": "var(--risk)", "opacity": 0.16},
                    "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
                }
            )
        if found and point.visitors_per_second is not None:
            band = {"low": (point.low or point.visitors_per_second) * 60, "high": (point.high or point.visitors_per_second) * 60}
            layers += [
                {
                    "data": values([band]),
                    "mark": {"type": "rect", "color": "var(--site)", "opacity": 0.28},
                    "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
                },
                {
                    "data": values([{"rate": point.visitors_per_second * 60}]),
                    "mark": {"type": "rule", "color": "var(--site)", "strokeWidth": 2},
                    "encoding": {"y": y},
                },
            ]
        elif point.low is not None and point.status == "not_reached":
            layers.append(
                {
                    "data": values([{"rate": min(point.low * 60, top)}]),
                    "mark": {"type": "rule", "color": "var(--site)", "strokeWidth": 2},
                    "encoding": {"y": y},
                }
            )
        layers.append({"data": values(rows), "mark": PLAN, "encoding": {"x": x, "y": y}})
        marks = [{"at": max(low, phase.start_seconds), "name": str(place + 1)} for place, phase in enumerate(phases)]
        if marks:
            layers += [
                {"data": values(marks), "mark": {"type": "rule", "color": "var(--line)", "strokeDash": [2, 3]}, "encoding": {"x": x}},
                {
                    "data": values(_apart(marks, (high - low) * 16 / (NARROW if small else WIDE))),
                    "mark": {"type": "text", "align": "left", "dx": 4, "baseline": "top", "fontWeight": "bold", "color": "var(--muted)"},
                    "encoding": {"x": x, "y": {"value": 2}, "text": {"field": "name", "type": "nominal"}},
                },
            ]
        return {"width": (NARROW if small else WIDE) - 70, "height": 200 if small else 260, "layer": layers}

    keys = [Key(name="planned visitors", shape="dash", colour="plan")]
    if found:
        keys.append(Key(name="what the site can serve", shape="band", colour="site"))
    elif point.low is not None and point.status == "not_reached":
        keys.append(Key(name="held in the test", shape="line", colour="site"))
    if stretch is not None:
        keys.append(Key(name="at risk", shape="band", colour="risk"))
    highest = max(shown, key=lambda index: rates[index], default=0)
    listed = sorted({highest, *(shown[place] for place in every(len(shown), 40))})
    return both_sizes(
        make,
        keys=tuple(keys),
        key="campaign",
        title="Planned arrivals against what the site can serve",
        caption=_campaign_caption(result),
        description="Dashed line: planned visitors a minute. Band: what the site can serve.",
        table=Table(
            head=("When", "Planned visitors a minute"),
            rows=tuple((clock.at(times[index]), number(rates[index] * 60)) for index in listed),
            places=tuple(times[index] for index in listed),
        ),
        reach=(low, high),
        marks=tuple(phase.name for phase in phases),
    )


def _campaign_caption(result: Result) -> str:
    """What the figure says; with the load that comes on top of the visitors, which explains where the shading ends."""
    plan = result.campaign
    if plan.scanners_peak_per_second <= SCANNERS * plan.peak_visitors_per_second:
        return _message(result)
    scanners = number(float(f"{plan.scanners_peak_per_second * 60:.2g}"))
    return f"{_message(result)} While mails go out, up to {scanners} mail scanners a minute load the site as well; they are no visitors."


def _message(result: Result) -> str:
    stretch, clock, own = facts.risk(result), words.clock(result), words.peak(result)
    if stretch is not None:
        return f"More visitors are planned than the site can serve {clock.between(*stretch)} ({span(stretch[1] - stretch[0])}, shaded)."
    point = result.breaking_point
    if result.verdict == "ready" and point.status == "found":
        possible = words.limit(result).both
        return f"The whole campaign stays below what the site can serve: {own} visitors a minute at the peak, {possible} possible."
    if result.verdict == "ready":
        return f"The whole campaign stays below the load that the site was shown to hold: {own} visitors a minute at the peak."
    if point.status == "broken_at_baseline":
        return f"The plan peaks at {own} visitors a minute. The site kept its promises at no load."
    when = clock.when(result.campaign.peak_at_seconds)
    return f"The plan peaks at {own} visitors a minute {when}. What the site can serve, this test could not tell."


def _window(times: list[float], rates: list[float], stretch: tuple[float, float] | None) -> tuple[float, float]:
    """The part of the campaign worth drawing: from a hundredth of the peak to the last time above a twelfth, and all that is at risk."""
    top = max(rates, default=0.0)
    first = next((at for at, rate in zip(times, rates, strict=True) if rate > top / 100), times[0])
    last = next((at for at, rate in zip(reversed(times), reversed(rates), strict=True) if rate > top / 12), times[-1])
    if stretch is not None:
        first, last = min(first, stretch[0]), max(last, stretch[1])
    margin = (last - first) * 0.04
    return max(times[0], first - margin), min(times[-1], last + margin)


def _apart(marks: list[dict[str, object]], distance: float) -> list[dict[str, object]]:
    """Marks closer than `distance` share one label: "2 3"."""
    joined: list[dict[str, object]] = []
    for mark in marks:
        if joined and float(str(mark["at"])) - float(str(joined[-1]["at"])) < distance:
            joined[-1] = {"at": joined[-1]["at"], "name": f"{joined[-1]['name']} {mark['name']}"}
        else:
            joined.append(dict(mark))
    return joined
