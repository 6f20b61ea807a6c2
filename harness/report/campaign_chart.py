"""In: `Result`. Out: the campaign's figure: planned arrivals against the band that the site can serve, the stretch at risk shaded.

Where visitors are not all that loads the site (mail scanners, an audience that stays, people who come back), a second line is the whole
load, counted in visitors: it is as high as the visitors where the campaign is hardest, and what is at risk is read off it.
"""

from __future__ import annotations

from harness.report import facts, words
from harness.report.axis import campaign_axis
from harness.report.drawing import LOAD, NARROW, PLAN, WIDE, Figure, Key, Spec, Table, both_sizes, values
from harness.report.quantities import number, span
from harness.report.thin import every
from harness.result import Result

OTHERS = 0.02
"""Below this share of the campaign's peak, scanners and returning visitors get no sentence."""
APART = 0.05  # of the peak: a load that stays closer to the visitors than this is no line of its own


def campaign(result: Result) -> Figure:
    """Planned arrivals (dashed) against the band that the site can serve; the stretch at risk is shaded, phases are numbered."""
    plan, point, clock = result.campaign, result.breaking_point, words.clock(result)
    times, rates = plan.curve_seconds, plan.curve_visitors_per_second
    load = whole_load(result)
    stretch = facts.risk(result)
    low, high = _window(times, rates, (stretch or (plan.moment_at_seconds, plan.moment_at_seconds)) if load else stretch)
    found = point.status == "found" and point.visitors_per_second is not None and result.verdict != "inconclusive"
    shown = [index for index, at in enumerate(times) if low <= at <= high]
    rows = [{"at": times[index], "rate": rates[index] * 60} for index in shown]
    loads = [{"at": times[index], "rate": load[index] * 60} for index in shown] if load else []
    phases = [phase for phase in plan.phases if phase.end_seconds > low and phase.start_seconds < high]
    top = max([row["rate"] for row in rows + loads] + ([(point.high or point.visitors_per_second or 0) * 60] if found else [])) * 1.1

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
        if loads:
            layers.append({"data": values(loads), "mark": LOAD, "encoding": {"x": x, "y": y}})
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
    if loads:
        keys.append(Key(name="everything that loads the site, counted in visitors", shape="line", colour="p95"))
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
        caption=_message(result),
        aside=_others(result),
        description="Dashed line: planned visitors a minute. "
        + ("Solid line: the whole load, counted in visitors. " if loads else "")
        + "Band: what the site can serve.",
        table=Table(
            head=("When", "Planned visitors a minute", *(("Whole load, in visitors a minute",) if load else ())),
            rows=tuple(
                (clock.at(times[index]), number(rates[index] * 60), *((number(load[index] * 60),) if load else ())) for index in listed
            ),
            places=tuple(times[index] for index in listed),
        ),
        reach=(low, high),
        marks=tuple(phase.name for phase in phases),
    )


def whole_load(result: Result) -> list[float]:
    """All load over the campaign, in visitors/s, where it is not that of the visitors alone; empty otherwise."""
    plan = result.campaign
    load, rates = plan.curve_load_visitors_per_second, plan.curve_visitors_per_second
    apart = max((abs(a - b) for a, b in zip(load, rates, strict=False)), default=0.0)
    return load if len(load) == len(rates) and apart > APART * plan.peak_visitors_per_second else []


def _others(result: Result) -> str:
    """The load that comes on top of the new visitors, which explains where the shading begins and ends; empty where there is none."""
    plan = result.campaign
    least = OTHERS * plan.peak_visitors_per_second
    told = []
    if plan.scanners_peak_per_second > least:
        scanners = _about(plan.scanners_peak_per_second)
        told.append(f"While mails go out, up to {scanners} mail scanners a minute load the site as well; they are no visitors.")
    if plan.returning_peak_per_second > least:
        back = _about(plan.returning_peak_per_second)
        told.append(
            "Visitors are counted once, when they first come; people who come back (from a countdown, or when a player reconnects) "
            f"are load as well, up to {back} visits a minute."
        )
    if whole_load(result):
        risk = (
            "where it is above what the site can serve, the campaign is at risk."
            if facts.risk(result)
            else "it is what the site must carry."
        )
        told.append(f"The solid line is everything together, counted in visitors: {risk}")
    return " ".join(told)


def _about(rate: float) -> str:
    return number(float(f"{rate * 60:.2g}"))


def _message(result: Result) -> str:
    stretch, clock, own = facts.risk(result), words.clock(result), words.peak(result)
    if stretch is not None:
        what = "load is" if whole_load(result) else "visitors are"
        return f"More {what} planned than the site can serve {clock.between(*stretch)} ({span(stretch[1] - stretch[0])}, shaded)."
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
