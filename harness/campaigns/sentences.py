"""In: `ArrivalPlan`, `Moment` and the scenario. Out: the plan in sentences, and as plain values for JSON.

Nothing is sent and nothing is promised here: these are expected values at the campaign's own size.
"""

from __future__ import annotations

import json

import numpy as np

from harness.campaigns import calendar
from harness.campaigns.curve import Integral
from harness.campaigns.levers import levers
from harness.campaigns.moment import timeline, viewing
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.campaigns.words import START, clock, people, rate, spell
from harness.scenario.model import Calendar, Scenario, Watch


def describe(plan: ArrivalPlan, moment: Moment, scenario: Scenario) -> tuple[str, ...]:
    """The plan as sentences for people: who comes, when it is hardest, what to change, and what was assumed."""
    start = START[scenario.campaign.type]
    minute, share = busiest_minute(plan)
    more = moment.peak_concurrent > 1.02 * moment.concurrent
    said = [
        f"{scenario.name}: about {people(plan.total)} visitors are expected.",
        f"Arrivals peak at {rate(plan.peak)} visitors/s {clock(plan, plan.peak_at, start)};"
        f" the busiest minute brings {people(minute)} visitors, {share:.1%} of all.",
        f"The hardest moment, the one that a surge rehearses, comes {clock(plan, moment.at, start)}: about"
        f" {rate(moment.requests_per_second)} requests/s, each page counted once without its pictures, and {people(moment.concurrent)}"
        f" visitors on the site at the same time{f' (at another time up to {people(moment.peak_concurrent)})' if more else ''}.",
    ]
    scanned = float(np.trapezoid(plan.scanners, plan.times))
    if scanned > 0:
        part = scanned / (scanned + plan.total)
        said.append(
            f"Security scanners of mail systems add {people(scanned)} hits, at most {rate(float(plan.scanners.max()))}/s"
            f" ({part:.0%} of all clicks): they load the site but never count as visitors."
        )
    said += _viewing(plan, scenario)
    said += _side_loads(plan, moment, scenario, start)
    said += levers(plan, scenario)
    if isinstance(scenario.campaign, Calendar):
        said += _calendar(plan, scenario.campaign)
    said += [f"Assumed: {sentence}" for sentence in plan.assumptions]
    return tuple(said)


def _viewing(plan: ArrivalPlan, scenario: Scenario) -> list[str]:
    """How long viewers watch, where two things say it: the journey's `for` and the campaign's retention."""
    if plan.stay is None:
        return []
    said = []
    for journey in scenario.journeys:
        for step in journey.steps:
            if isinstance(step, Watch):
                watched = viewing(step, plan.stay, plan.zero)
                said.append(
                    f"Who joins “{journey.name}” at the start watches for {spell(watched)} on average: {spell(step.duration.mean)} by the"
                    " journey, unless they lose interest or the event ends before."
                )
    return said


def _side_loads(plan: ArrivalPlan, moment: Moment, scenario: Scenario, start: str) -> list[str]:
    """Who comes back, and what asks without a visit: loads beside the visitors."""
    said = []
    if plan.returning is not None and plan.returning.max() > 0:
        at = float(plan.times[int(plan.returning.argmax())])
        said.append(
            f"{people(Integral(plan.times, plan.returning).total)} visits are by people who come back, at most"
            f" {rate(float(plan.returning.max()))}/s, {clock(plan, at, start)}."
        )
    if plan.hits is not None and plan.hits.max() > 0:
        at = float(plan.times[int(plan.hits.argmax())])
        whole = timeline(plan, scenario)
        most = float(whole.requests.max())
        if most > 1.02 * moment.requests_per_second:
            when = clock(plan, float(whole.times[int(whole.requests.argmax())]), start)
            end = (
                f" They make another second harder than the moment above: {rate(most)} requests/s {when},"
                f" {most / moment.requests_per_second:.2g} times as many. A surge rehearses visits, so that second remains untested."
            )
        else:
            end = " A surge does not rehearse them, and no second is harder for them than the moment above."
        said.append(
            f"{people(Integral(plan.times, plan.hits).total)} single requests come on top (players that try in vain, clicks on the closing"
            f" link), at most {rate(float(plan.hits.max()))}/s, {clock(plan, at, start)}.{end}"
        )
    return said


def _calendar(plan: ArrivalPlan, campaign: Calendar) -> list[str]:
    """Who makes the peak of the sum, and where campaigns collide."""
    at = plan.peak_at
    whole = max(sum(part for _, part in calendar.shares(campaign, at)), 1e-300)
    makers = ", ".join(f"{name} {part / whole:.0%}" for name, part in calendar.shares(campaign, at) if part > 0.005 * whole)
    return [f"At the peak of the sum the visitors are: {makers}.", *_collisions(plan, campaign)]


def _collisions(plan: ArrivalPlan, campaign: Calendar) -> list[str]:
    said = []
    for clash in calendar.collisions(campaign):
        both = (plan.times >= clash.start) & (plan.times <= clash.end)
        most = float(plan.visits[both].max(initial=0.0))
        matters = most > 0.98 * float(plan.visits.max())
        advice = "This is the peak of the sum: move one of them." if matters else "The peak of the sum is higher, at another time."
        said.append(
            f"{clash.first} and {clash.second} collide: both are busy for {spell(clash.end - clash.start)}, from"
            f" {clock(plan, clash.start, 'the first campaign')} on, with at most {rate(most)} visits/s in all. {advice}"
        )
    return said or ["No two campaigns are busy at the same time."]


def busiest_minute(plan: ArrivalPlan) -> tuple[float, float]:
    """Most visitors within any 60 s, and their share of the total."""
    integral = Integral(plan.times, plan.visitors)
    starts = np.unique(np.concatenate([plan.times, plan.times - 60.0, plan.peak_at - np.linspace(0.0, 60.0, 121)]))
    most = float((integral.at(starts + 60.0) - integral.at(starts)).max())
    return most, most / integral.total if integral.total > 0 else 0.0


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
        "starts": None if plan.starts is None else plan.starts.isoformat(),
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
