"""In: `ArrivalPlan`, `Moment` and the scenario. Out: the plan in sentences, as blocks for a terminal, and as plain values for JSON.

Nothing is sent and nothing is promised here: these are expected values at the campaign's own size.
"""

from __future__ import annotations

import json
import math
from datetime import timedelta

import numpy as np

from harness.campaigns import calendar
from harness.campaigns.curve import Integral
from harness.campaigns.levers import levers
from harness.campaigns.moment import timeline
from harness.campaigns.plan import ArrivalPlan, Curve, Moment
from harness.scenario.model import Calendar, Scenario

BLOCKS = " ▁▂▃▄▅▆▇█"
START = {
    "email_blast": "the first mail",
    "webcast": "the start",
    "viral_spike": "the post",
    "flash_sale": "the opening",
    "measured": "the first row",
    "calendar": "the first campaign",
}


def describe(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> tuple[str, ...]:
    """The plan as sentences for people: who comes, when it is hardest, what to change, and what was assumed."""
    start = START.get(scenario.campaign.type, "the start")
    minute, share = busiest_minute(plan)
    said = [
        f"{scenario.name}: {plan.total:,.0f} visitors are expected.",
        f"Arrivals peak at {rate(plan.peak)} visitors/s {clock(plan, plan.peak_at, start)};"
        f" the busiest minute brings {minute:,.0f} visitors, {share:.1%} of all.",
        f"The hardest moment comes {clock(plan, moment.at, start)}: about {rate(moment.requests_per_second)} requests/s"
        f" (a page counted once, without its pictures) and {count(moment.concurrent)} visitors on the site at the same time"
        f" (at most {count(moment.peak_concurrent)}).",
    ]
    scanned = float(np.trapezoid(plan.scanners, plan.times))
    if scanned > 0:
        part = scanned / (scanned + plan.total)
        said.append(
            f"Security scanners add {scanned:,.0f} hits, at most {rate(float(plan.scanners.max()))}/s ({part:.0%} of all clicks):"
            " they load the site but are never counted as visitors."
        )
    said += _side_loads(plan, start)
    said += levers(plan, scenario)
    if isinstance(scenario.campaign, Calendar):
        said += _calendar(plan, scenario.campaign)
    said += [f"Assumed: {sentence}" for sentence in plan.assumptions]
    return tuple(said)


def _side_loads(plan: ArrivalPlan, start: str) -> list[str]:
    """Who comes back, and what asks without a visit: loads beside the visitors."""
    said = []
    if plan.returning is not None and plan.returning.max() > 0:
        at = float(plan.times[int(plan.returning.argmax())])
        said.append(
            f"{Integral(plan.times, plan.returning).total:,.0f} visits are by people who come back, at most"
            f" {rate(float(plan.returning.max()))}/s {clock(plan, at, start)}."
        )
    if plan.hits is not None and plan.hits.max() > 0:
        at = float(plan.times[int(plan.hits.argmax())])
        said.append(
            f"{Integral(plan.times, plan.hits).total:,.0f} single requests come on top (failed attempts, a last link), at most"
            f" {rate(float(plan.hits.max()))}/s {clock(plan, at, start)}; a surge does not rehearse them."
        )
    return said


def _calendar(plan: ArrivalPlan, campaign: Calendar) -> list[str]:
    """Who makes the peak of the sum, and where campaigns collide."""
    at = plan.peak_at
    whole = max(sum(part for _, part in calendar.shares(campaign, at)), 1e-300)
    makers = ", ".join(f"{name} {part / whole:.0%}" for name, part in calendar.shares(campaign, at) if part > 0.005 * whole)
    clashes = [
        f"{clash.first} and {clash.second} collide: both are busy for {spell(clash.end - clash.start)}, from"
        f" {clock(plan, clash.start, 'the first campaign')} on. Move one of them to keep the peaks apart."
        for clash in calendar.collisions(campaign)
    ]
    return [f"At the peak of the sum the visitors are: {makers}.", *(clashes or ["No two campaigns are busy at the same time."])]


def busiest_minute(plan: ArrivalPlan) -> tuple[float, float]:
    """Most visitors within any 60 s, and their share of the total."""
    integral = Integral(plan.times, plan.visitors)
    starts = np.unique(np.concatenate([plan.times, plan.times - 60.0, plan.peak_at - np.linspace(0.0, 60.0, 121)]))
    most = float((integral.at(starts + 60.0) - integral.at(starts)).max())
    return most, most / integral.total if integral.total > 0 else 0.0


def clock(plan: ArrivalPlan, t: float, start: str) -> str:
    """A plan second as people say it: "3 min 20 s after the first mail (15:03:20)"."""
    since = t - plan.zero
    words = f"at {start}" if abs(since) < 0.5 else f"{spell(abs(since))} {'after' if since > 0 else 'before'} {start}"
    if plan.origin is None:
        return words
    moment = plan.origin + timedelta(seconds=round(t))
    days = (moment.date() - (plan.origin + timedelta(seconds=plan.zero)).date()).days
    return f"{words} ({moment:%H:%M:%S}{f' on {moment:%Y-%m-%d}' if days else ''})"


def spell(seconds: float) -> str:
    """Seconds with the two units that matter: "1 h 5 min", "3 min 20 s", "42 s", "7 days"."""
    whole = round(seconds)
    for size, unit, small, minor in ((86400, "day", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            count_, rest = whole // size, whole % size // small
            name = f"{unit}s" if unit == "day" and count_ > 1 else unit
            return f"{count_} {name}" + (f" {rest} {minor}" if rest else "")
    return f"{whole} s"


def rate(value: float) -> str:
    """A rate with three figures: 0.331, 3.84, 28.6, 2,387."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def count(value: float) -> str:
    """A number of visitors present: whole ones, "fewer than one" below a half."""
    return "fewer than one" if value < 0.5 else f"{value:,.0f}"


def window(plan: ArrivalPlan, columns: int, *include: float) -> Curve:
    """Edges of `columns` equal stretches around the peak: where arrivals are above 6 % of it, with the plan seconds to `include`."""
    high = np.flatnonzero(plan.visitors >= 0.06 * plan.peak)
    low, end = min(float(plan.times[high[0]]), *include, math.inf), max(float(plan.times[high[-1]]), *include, -math.inf)
    margin = 0.04 * max(end - low, 60.0)
    return np.linspace(low - margin, end + margin, columns + 1)


def sparkline(plan: ArrivalPlan, *, width: int = 72) -> tuple[str, str]:
    """The curve as `width` blocks, and the line of clock marks below it: the stretch around the peak that is above 6 % of it."""
    if plan.peak <= 0:
        return " " * width, ""
    edges = window(plan, width)
    mean = np.diff(Integral(plan.times, plan.visitors).at(edges)) / np.diff(edges)
    levels = np.ceil(mean / mean.max() * (len(BLOCKS) - 1) - 1e-9).astype(int)
    left, right = (f"{'−' if t < plan.zero else '+'}{spell(abs(t - plan.zero))}" for t in (edges[0], edges[-1]))
    return "".join(BLOCKS[k] for k in levels), left + " " * max(1, width - len(left) - len(right)) + right


def to_json(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> str:
    """The plan as JSON: `values` as text."""
    return json.dumps(values(plan, moment, scenario), ensure_ascii=False, indent=2)


def values(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> dict[str, object]:
    """The plan as plain values: units in the names, seconds since the moment that people call the start, at most 400 points a curve."""
    whole = timeline(plan, scenario)
    minute, share = busiest_minute(plan)
    keep = _points(plan, 400)
    return {
        "scenario": scenario.name,
        "type": scenario.campaign.type,
        "visitors": plan.total,
        "peak_visitors_per_second": plan.peak,
        "peak_at_seconds": plan.peak_at - plan.zero,
        "busiest_minute_visitors": minute,
        "busiest_minute_share": share,
        "scanners": float(np.trapezoid(plan.scanners, plan.times)),
        "scanners_peak_per_second": float(plan.scanners.max()),
        "peak_concurrent_visitors": moment.peak_concurrent,
        "starts": None if plan.origin is None else (plan.origin + timedelta(seconds=plan.zero)).isoformat(),
        "hardest": {
            "at_seconds": moment.at - plan.zero,
            "visitors_per_second": moment.visitors_per_second,
            "scanners_per_second": moment.scanners_per_second,
            "concurrent_visitors": moment.concurrent,
            "requests_per_second": moment.requests_per_second,
        },
        "curve": {
            "seconds": [float(t) - plan.zero for t in keep],
            "visitors_per_second": np.interp(keep, plan.times, plan.visitors).tolist(),
            "scanners_per_second": np.interp(keep, plan.times, plan.scanners).tolist(),
            "returning_per_second": np.interp(keep, plan.times, plan.visits - plan.visitors).tolist(),
            "concurrent_visitors": np.interp(keep, whole.times, whole.concurrent).tolist(),
            "requests_per_second": np.interp(keep, whole.times, whole.requests).tolist(),
        },
        "phases": [{"name": p.name, "start_seconds": p.start - plan.zero, "end_seconds": p.end - plan.zero} for p in plan.phases],
        "sentences": list(describe(plan, moment, scenario)),
        "assumptions": list(plan.assumptions),
    }


def _points(plan: ArrivalPlan, most: int) -> list[float]:
    """At most `most` of the plan's own times, spread evenly over them, the peak among them."""
    n = len(plan.times)
    chosen = {round(i * (n - 1) / (most - 2)) for i in range(most - 1)} if n > most else set(range(n))
    return [float(plan.times[i]) for i in sorted(chosen | {int(plan.visitors.argmax())})]
