"""In: the planned campaign, the breaking point, the site's behaviour beyond it. Out: `Losses`: visits, transactions and money, as ranges.

Three layers, never one number:

    low    visitors whose requests fail for certain, if the breaking point is at the upper end of its interval
    mid    and those who do not wait: 5.8 points of them for every second beyond two (Krishnan and Sitaraman, Video Stream Quality Impacts
           Viewer Behavior, 2012: 6.7 million viewers, quasi-experimental, measured on video)
    high   and everybody who is not served within the promise, if it is at the lower end

The load of a moment is what the plan expects in requests there, in units of the dial (the campaign scaled so that its peak is this
many visitors/s). A fluid picture: beyond the breaking point B the site answers B·`answered`, of that B·`goodput` in time, as measured;
of the rest a share fails outright and the others wait in line, backlog / B seconds, up to the longest wait measured. Where an
audience stays, those present when the load is highest are counted once, if they are more than those who arrive under overload.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram
from harness.analysis.levels import Stretch
from harness.campaigns.plan import Timeline
from harness.result import BreakingPoint, Losses, Range
from harness.scenario.model import Business, Scenario

Curve = npt.NDArray[np.float64]

PATIENCE_FROM = 2.0  # s
PATIENCE_SLOPE = 0.058  # of visitors per further second
PATIENCE_MOST = 0.95
LONGEST_WAIT = 30.0  # s: a client or the site gives up by then
BUSY = 0.01  # of the peak: below, the campaign is as good as over
VISITS = "visitors whose requests fail, who do not wait, or who are not served in time"
NOTE = (
    "Low counts only those whose requests fail for certain; middle also those who will not wait; high everybody who is not served in time. "
    "Patience is taken from 6.7 million viewers of online video (Krishnan and Sitaraman 2012): correlational, not a forecast."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overload:
    """How the site behaved beyond its breaking point. Shares from 0 to 1."""

    answered: float  # good answers per second, late ones too, against those at the breaking point
    goodput: float  # good answers in time, likewise
    failing: float  # of the requests that were not answered well, those that failed outright
    wait: float  # s, the longest that a request stands in line


def overload(found: list[Stretch], point: BreakingPoint) -> Overload:
    """Measured over the levels above the interval; where there are none, what the cause implies."""
    beyond = [s for s in found if point.high is not None and s.dial > point.high and s.windows["sent"].sum()]
    near = [s for s in found if s.evidence and point.high is not None and s.dial <= point.high and s.all_held == "yes"]
    slow = point.cause in ("slow", "collapse", "timeouts")
    if not beyond or not near:
        return Overload(answered=1.0, goodput=1.0, failing=0.0 if slow else 1.0, wait=LONGEST_WAIT if slow else 0.0)
    best = max(near, key=lambda s: s.dial)
    sent, ok, failed, good = (sum(float(s.windows[name].sum()) for s in beyond) for name in ("sent", "ok", "failed", "good"))
    seconds = sum(s.seconds for s in beyond)
    at_best = float(best.windows["good"].sum()) / best.seconds
    failing = min(1.0, failed / max(sent - ok, 1.0)) if failed > 0.01 * sent else 0.0
    counts = np.sum([s.counts for s in beyond], axis=0)
    longest = float(histogram.quantiles(counts, (0.99,))[0]) if counts.sum() else 0.0
    return Overload(
        answered=float(np.clip(ok / seconds / max(at_best, 1e-9), 0.0, 1.0)),
        goodput=float(np.clip(good / seconds / max(at_best, 1e-9), 0.0, 1.0)),
        failing=failing,
        # A line that sheds load does not grow beyond what was seen; one that takes everybody grows until patience ends.
        wait=longest if failing > 0.5 else LONGEST_WAIT,
    )


def losses(scenario: Scenario, timeline: Timeline, zero: float, peak: float, point: BreakingPoint, behaviour: Overload) -> Losses | None:
    """What the campaign loses at its planned size; None when the run could not tell.

    `peak` in visitors/s; `zero` is the plan second that people call the start, from which `over_from_seconds` counts.
    """
    if point.cause == "generator" or point.status == "inconclusive":
        return None
    if point.status == "not_reached":
        return _none(scenario) if point.low is not None and point.low >= peak else None
    if point.status == "broken_at_baseline":
        return _all(scenario, timeline, zero)
    if point.visitors_per_second is None or point.low is None or point.high is None:
        return None
    load = timeline.requests * (peak / timeline.requests.max())
    layers = (
        _shares(timeline.times, load, point.high, behaviour).certain,
        _shares(timeline.times, load, point.visitors_per_second, behaviour).impatient,
        _shares(timeline.times, load, point.low, behaviour).unserved,
    )
    low, mid, high = np.maximum.accumulate([_visits(timeline, share) for share in layers])
    if high <= 0:
        return _none(scenario)
    over = load > point.visitors_per_second
    seconds = float(np.trapezoid(over.astype(float), timeline.times))
    worst = _around(over, int(load.argmax()))
    return _losses(scenario, (float(low), float(mid), float(high)), VISITS, seconds, timeline.times[worst] - zero, NOTE)


def _around(over: npt.NDArray[np.bool_], at: int) -> slice:
    """The unbroken stretch of `over` that holds index `at`: two mails a day apart are two stretches, and the day between them is calm."""
    calm = np.flatnonzero(~over)
    place = int(np.searchsorted(calm, at))
    if not over[at]:
        return slice(0, 0)
    return slice(int(calm[place - 1]) + 1 if place else 0, int(calm[place]) if place < len(calm) else len(over))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shares:
    """Of the visitors of each time, the share lost, by layer."""

    certain: Curve
    impatient: Curve
    unserved: Curve


def _shares(times: Curve, load: Curve, limit: float, behaviour: Overload) -> _Shares:
    over = load > limit
    answered = np.where(over, limit * behaviour.answered, limit)
    left = np.where(over, (load - answered) / np.maximum(load, 1e-12), 0.0)
    certain = left * behaviour.failing
    leave = _leaving(_waits(times, load * (1 - certain), answered, behaviour.wait))
    impatient = certain + (1 - certain) * leave
    late = np.where(over, 1 - limit * behaviour.goodput / np.maximum(load, 1e-12), 0.0)
    return _Shares(certain=certain, impatient=impatient, unserved=np.maximum(late, impatient))


def _waits(times: Curve, coming: Curve, answered: Curve, longest: float) -> Curve:
    """Seconds in line for those who come at each time: the line grows by whoever stays and is not answered.

    People who do not wait keep it short: it settles where those who stay are as many as are answered.
    """
    enough = np.clip(1 - answered / np.maximum(coming, 1e-12), 0.0, PATIENCE_MOST)  # leave at the settled length
    settled = np.where(enough > 0, PATIENCE_FROM + enough / PATIENCE_SLOPE, 0.0)
    most = np.minimum(settled, longest)
    waits = np.zeros_like(coming)
    for k in range(1, len(times)):
        seconds = float(times[k] - times[k - 1])
        grown = (coming[k] / max(answered[k], 1e-9) - 1) * seconds
        waits[k] = min(waits[k - 1] + grown, most[k]) if grown > 0 else max(waits[k - 1] + grown, 0.0)
    return waits


def _leaving(wait: Curve) -> Curve:
    """The share who do not wait so long (s)."""
    return np.minimum(PATIENCE_MOST, PATIENCE_SLOPE * np.maximum(wait - PATIENCE_FROM, 0.0))


def _visits(timeline: Timeline, share: Curve) -> float:
    """Visitors lost: those who arrive under overload, or the audience that is there when it is worst, whichever is more."""
    arriving = float(np.trapezoid(share * timeline.visitors, timeline.times))
    standing = float((share * timeline.concurrent).max())
    return max(arriving, standing)


def _all(scenario: Scenario, timeline: Timeline, zero: float) -> Losses:
    """Broken at the lowest load: everything is at risk, and how much of it is not known."""
    total = float(np.trapezoid(timeline.visitors, timeline.times))
    busy = timeline.times[timeline.visitors > BUSY * timeline.visitors.max()]
    why = "the site broke its promises at the lowest load already: at worst every visit"
    return _losses(scenario, (0.0, total / 2, total), why, float(busy[-1] - busy[0]), busy - zero)


def _none(scenario: Scenario) -> Losses:
    return _losses(scenario, (0.0, 0.0, 0.0), "the whole plan stays below the load that was shown to hold", 0.0, np.zeros(0))


def _losses(scenario: Scenario, visits: tuple[float, float, float], assumption: str, seconds: float, over: Curve, note: str = "") -> Losses:
    share = sum(j.share for j in scenario.journeys if any(step.kind == "post" for step in j.steps))
    business = scenario.business
    return Losses(
        seconds_over=seconds,
        over_from_seconds=float(over[0]) if len(over) else None,
        over_to_seconds=float(over[-1]) if len(over) else None,
        visits=_range(visits, 1.0, "visits", assumption),
        transactions=_range(visits, share, "transactions", f"{share:.0%} of visitors begin one") if share else None,
        money=_money(visits, business) if business else None,
        note=note,
    )


def _money(visits: tuple[float, float, float], business: Business) -> Range:
    each = business.conversion * business.value.amount
    worth = f"{business.value.amount:g} {business.value.currency}"
    why = f"{100 * business.conversion:.3g}% of visits convert at {worth} each, as the scenario says"
    return _range(visits, each, business.value.currency, why)


def _range(visits: tuple[float, float, float], each: float, unit: str, assumption: str) -> Range:
    low, mid, high = (v * each for v in visits)
    return Range(low=low, mid=mid, high=high, unit=unit, assumption=assumption)
