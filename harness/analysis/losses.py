"""In: the planned campaign, the breaking point, the site's behaviour beyond it. Out: `Losses`: visits, transactions and money, as ranges.

Three layers, never one number:

    low    visitors whose requests fail for certain: what comes beyond the upper end of the interval and is refused or fails
    mid    and those who do not wait: 5.8 points of them for every second beyond two (Krishnan and Sitaraman, Video Stream Quality Impacts
           Viewer Behavior, 2012: 6.7 million viewers, quasi-experimental, measured on video)
    high   and everything beyond the lower end of the interval that cannot be served within the promise

The load of a moment is what the plan expects in requests there, in units of the dial (the campaign scaled so that its peak is this
many visitors/s). Beyond the breaking point B the site serves B·g, with g its goodput in overload against that at B, as
measured; the backlog grows as the integral of the rest, and the wait is backlog / B, up to the longest wait that was measured
or the patience of a client. Correlational, not a forecast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis.levels import Stretch
from harness.campaigns.plan import Timeline
from harness.result import BreakingPoint, Losses, Range
from harness.scenario.model import Business, Scenario

Curve = npt.NDArray[np.float64]

PATIENCE_FROM = 2.0  # s
PATIENCE_SLOPE = 0.058  # of visitors per further second
PATIENCE_MOST = 0.95
LONGEST_WAIT = 30.0  # s: a client or the site gives up; used where no longer wait was measured
SOURCE = "patience from 6.7 million viewers of online video (Krishnan and Sitaraman 2012); correlational, not a forecast"


@dataclass(frozen=True, kw_only=True, slots=True)
class Overload:
    """How the site behaved beyond its breaking point. Shares from 0 to 1."""

    goodput: float  # against the goodput at the breaking point
    failing: float  # of the requests that cannot be served in time, how many fail outright rather than come late


def overload(found: list[Stretch], point: BreakingPoint) -> Overload:
    """Measured over the levels above the interval; where there are none, what the cause implies."""
    beyond = [s for s in found if point.high is not None and s.dial > point.high and s.windows["sent"].sum()]
    near = [s for s in found if s.evidence and point.low is not None and s.dial <= (point.high or point.low) and s.all_held == "yes"]
    failing = 0.0 if point.cause == "slow" else 1.0
    if beyond:
        failed, sent = (sum(float(s.windows[name].sum()) for s in beyond) for name in ("failed", "sent"))
        good = sum(float(s.windows["good"].sum()) for s in beyond)
        failing = min(1.0, failed / max(sent - good, 1.0))
    if not beyond or not near:
        return Overload(goodput=1.0, failing=failing)
    best = max(near, key=lambda s: s.dial)
    at_best = float(best.windows["ended_good"].sum()) / best.seconds
    in_overload = sum(float(s.windows["ended_good"].sum()) for s in beyond) / sum(s.seconds for s in beyond)
    return Overload(goodput=float(np.clip(in_overload / max(at_best, 1e-9), 0.0, 1.0)), failing=failing)


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
    over = load > point.visitors_per_second
    middle = _shares_lost(timeline.times, load, point.visitors_per_second, behaviour)
    low = _shares_lost(timeline.times, load, point.high, behaviour).certain
    high = _shares_lost(timeline.times, load, point.low, behaviour).unserved
    lost = [float(np.trapezoid(share * timeline.visitors, timeline.times)) for share in (low, middle.impatient, high)]
    lost = sorted(lost)
    assumption = (
        f"low: requests that fail for certain; middle: and those who will not wait; high: all beyond what can be served in time; {SOURCE}"
    )
    seconds = float(np.trapezoid(over.astype(float), timeline.times)) if over.any() else 0.0
    return _losses(scenario, (lost[0], lost[1], lost[2]), assumption, seconds, timeline.times[over] - zero)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shares:
    """Of the visitors arriving at each time, the share lost, by layer."""

    certain: Curve
    impatient: Curve
    unserved: Curve


def _shares_lost(times: Curve, load: Curve, limit: float, behaviour: Overload) -> _Shares:
    """The fluid picture: a server of rate `limit`·goodput while the load exceeds `limit`, with a backlog that must be worked off."""
    served = np.where(load > limit, limit * behaviour.goodput, limit)
    late = np.maximum(load - served, 0.0) / np.maximum(load, 1e-12)
    certain = late * behaviour.failing
    # Only what is late without failing waits in a queue.
    queued = np.where(load > limit, (load - served) * (1 - behaviour.failing), load - limit)
    backlog = np.zeros_like(load)
    for k in range(1, len(times)):
        step = (queued[k] + queued[k - 1]) / 2 * (times[k] - times[k - 1])
        backlog[k] = min(max(backlog[k - 1] + step, 0.0), LONGEST_WAIT * limit)
    wait = backlog / max(limit * behaviour.goodput, 1e-9)
    leave = np.minimum(PATIENCE_MOST, PATIENCE_SLOPE * np.maximum(wait - PATIENCE_FROM, 0.0))
    impatient = certain + (1 - certain) * leave
    waiting = backlog > 0
    return _Shares(certain=certain, impatient=impatient, unserved=np.maximum(np.where(waiting, late, np.minimum(late, certain)), impatient))


def _all(scenario: Scenario, timeline: Timeline, zero: float) -> Losses:
    """Broken at the lowest load: everything is at risk, and how much of it is not known."""
    total = float(np.trapezoid(timeline.visitors, timeline.times))
    busy = timeline.times[timeline.visitors > 0]
    why = "the site broke its promises at the lowest load already: at worst every visit"
    return _losses(scenario, (0.0, total / 2, total), why, float(busy[-1] - busy[0]), busy - zero)


def _none(scenario: Scenario) -> Losses:
    return _losses(scenario, (0.0, 0.0, 0.0), "the whole plan stays below the load that was shown to hold", 0.0, np.zeros(0))


def _losses(scenario: Scenario, visits: tuple[float, float, float], assumption: str, seconds: float, over: Curve) -> Losses:
    share = sum(j.share for j in scenario.journeys if any(step.kind == "post" for step in j.steps))
    business = scenario.business
    return Losses(
        seconds_over=seconds,
        over_from_seconds=float(over[0]) if len(over) else None,
        over_to_seconds=float(over[-1]) if len(over) else None,
        visits=_range(visits, 1.0, "visits", assumption),
        transactions=_range(visits, share, "transactions", f"{share:.0%} of visitors begin one; {assumption}") if share else None,
        money=_money(visits, business, assumption) if business else None,
    )


def _money(visits: tuple[float, float, float], business: Business, assumption: str) -> Range:
    each = business.conversion * business.value.amount
    why = f"{business.conversion:.3g} of visits convert at {business.value.amount:g} {business.value.currency} each, as the scenario says"
    return _range(visits, each, business.value.currency, f"{why}; {assumption}")


def _range(visits: tuple[float, float, float], each: float, unit: str, assumption: str) -> Range:
    low, mid, high = (v * each for v in visits)
    return Range(low=low, mid=mid, high=high, unit=unit, assumption=assumption)
