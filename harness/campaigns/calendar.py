"""In: `Calendar`, several campaigns with their dates and the everyday traffic. Out: `ArrivalPlan` of the sum, and who makes its peak.

The sum of its parts, exactly: on the union of the parts' times every part is still linear in between. Where each part stands at the sum's
peak, and which campaigns are busy at the same time, is `shares` and `collisions`.

The sum is of arrivals. What all these visitors do is the calendar's own journeys: those of the scenarios it names are not mixed in, and
neither is how a webcast's audience leaves (`ArrivalPlan.stay` is that of one event). The plan's assumptions say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from harness.campaigns import plan_one
from harness.campaigns.curve import JUMP
from harness.campaigns.plan import ArrivalPlan, Curve, Phase
from harness.campaigns.webcast import leaving
from harness.scenario.model import Calendar, Webcast

DAY = 86400.0
EVERYDAY = "everyday traffic"
BUSY = 0.2  # a campaign is busy while its own rate is above this share of its own peak


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One campaign of the calendar, its plan moved to the calendar's clock."""

    name: str
    plan: ArrivalPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Collision:
    """A stretch in which two campaigns are busy at the same time, in seconds of the calendar's plan."""

    first: str
    second: str
    start: float
    end: float


def parts(campaign: Calendar) -> tuple[Part, ...]:
    """Every campaign on the calendar's clock, whose second 0 is the earliest plan's first second; everyday traffic last.

    Raises `ValueError` when a campaign has no date or no campaign.
    """
    plans = []
    for entry in campaign.campaigns:
        if entry.campaign is None:
            raise ValueError(f"{entry.scenario}: its scenario has not been read")
        starts = entry.starts or entry.campaign.starts
        if starts is None:
            raise ValueError(
                f"{entry.scenario} has no date: write starts: 2026-12-03 15:00 Europe/London in the calendar or in its scenario"
            )
        plans.append((entry.scenario, plan_one(entry.campaign.model_copy(update={"starts": starts}))))
    first = min(_origin(plan) for _, plan in plans)
    origin = next(plan.origin for _, plan in plans if plan.origin and _origin(plan) == first)  # in its own zone: the clock that people read
    found = [Part(name=name, plan=_moved(plan, (_origin(plan) - first).total_seconds(), origin)) for name, plan in plans]
    if campaign.everyday is not None:
        end = max(float(part.plan.times[-1]) for part in found)
        end = min(end, max(float(part.plan.peak_at) for part in found) + 14 * DAY)
        found.append(Part(name=EVERYDAY, plan=_everyday(campaign.everyday.visitors_a_day, campaign.everyday.busiest, origin, end)))
    return tuple(found)


def plan(campaign: Calendar) -> ArrivalPlan:
    """The plan of the sum. `zero` is the earliest campaign's start."""
    each = parts(campaign)
    times = np.unique(np.concatenate([np.concatenate([p.plan.times, [p.plan.times[0] - JUMP, p.plan.times[-1] + JUMP]]) for p in each]))
    times = times[times >= 0.0]
    campaigns = [part.plan for part in each if part.name != EVERYDAY]
    return ArrivalPlan(
        times=times,
        visitors=_summed(times, [(part.plan.times, part.plan.visitors) for part in each]),
        scanners=_summed(times, [(part.plan.times, part.plan.scanners) for part in each]),
        zero=min(one.zero for one in campaigns),
        origin=campaigns[0].origin,
        phases=tuple(Phase(name=part.name, start=part.plan.zero, end=_busy(part.plan)[-1]) for part in each if part.name != EVERYDAY),
        assumptions=_assumptions(campaign, each),
        returning=_summed(times, [(one.times, one.returning) for one in campaigns if one.returning is not None]),
        hits=_summed(times, [(one.times, one.hits) for one in campaigns if one.hits is not None]),
    )


def _assumptions(campaign: Calendar, each: tuple[Part, ...]) -> tuple[str, ...]:
    names = ", ".join(entry.scenario for entry in campaign.campaigns)
    said = [
        f"All visitors do the journeys of this calendar, for as long as these say; the journeys of {names} are rehearsed by their own"
        " scenarios."
    ]
    dropped = {leaving(entry.campaign) for entry in campaign.campaigns if isinstance(entry.campaign, Webcast)}
    said += [f"{part.name}: {sentence}" for part in each for sentence in part.plan.assumptions if sentence not in dropped]
    return tuple(dict.fromkeys(said))


def shares(campaign: Calendar, at: float) -> tuple[tuple[str, float], ...]:
    """Who makes the visits at plan second `at`: (name, visitors/s), the largest first."""
    found = [(part.name, float(np.interp(at, part.plan.times, part.plan.visits, left=0.0, right=0.0))) for part in parts(campaign)]
    return tuple(sorted(found, key=lambda pair: -pair[1]))


def collisions(campaign: Calendar) -> tuple[Collision, ...]:
    """Pairs of campaigns that are busy at the same time, in the order of the calendar."""
    named = [part for part in parts(campaign) if part.name != EVERYDAY]
    found = []
    for i, one in enumerate(named):
        for other in named[i + 1 :]:
            (a, b), (c, d) = _busy(one.plan), _busy(other.plan)
            if max(a, c) < min(b, d):
                found.append(Collision(first=one.name, second=other.name, start=max(a, c), end=min(b, d)))
    return tuple(found)


def _busy(plan: ArrivalPlan) -> tuple[float, float]:
    high = np.flatnonzero(plan.visits > BUSY * plan.visits.max())
    return float(plan.times[high[0]]), float(plan.times[high[-1]])


def _origin(plan: ArrivalPlan) -> datetime:
    assert plan.origin is not None
    return plan.origin.astimezone(UTC)


def _moved(plan: ArrivalPlan, by: float, origin: datetime) -> ArrivalPlan:
    return replace(plan, times=plan.times + by, zero=plan.zero + by, origin=origin)


def _everyday(visitors: int, busiest: float, origin: datetime, end: float) -> ArrivalPlan:
    """A day's wave, highest at 20:00 and lowest at 08:00 of the first campaign's clock: mean × (1 + (busiest − 1)·cos)."""
    times = np.arange(0.0, end + 900.0, 900.0)
    local = origin.hour * 3600.0 + origin.minute * 60.0 + times
    swing = min(max(busiest - 1.0, 0.0), 1.0)
    rate = visitors / DAY * (1.0 + swing * np.cos(2.0 * np.pi * (local / DAY - 20.0 / 24.0)))
    return ArrivalPlan(
        times=times,
        visitors=rate,
        scanners=np.zeros_like(rate),
        zero=0.0,
        origin=origin,
        phases=(),
        assumptions=(f"{visitors:,} visitors a day, the busiest hour {1 + swing:g} times the average (an assumption).",),
    )


def _summed(times: Curve, curves: list[tuple[Curve, Curve]]) -> Curve:
    return np.asarray(sum((np.interp(times, own, rate, left=0.0, right=0.0) for own, rate in curves), np.zeros_like(times)))
