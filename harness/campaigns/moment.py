"""In: `ArrivalPlan` and the scenario's journeys. Out: the `Timeline` of the whole campaign and its hardest `Moment`.

Expected values, no simulation: a visitor who arrives at u is inside a pause at t when its earlier pauses are over and this one is not.
Sums of arrivals between two times are exact (`Integral`), so for visits that are short against the curve Little's law comes out by
itself: visitors in a pause = arrivals/s × share × mean pause. A request takes no time here; a page counts as one request (its assets
are measured, not planned). Earlier steps count with their mean length; the pause itself by `PARTS` equally likely lengths.

A watch step at an event ends with whatever comes first: the journey's own `for`, the viewer's loss of interest (`Stay.kept`), or the event
(`Stay.until`, everybody gone `Stay.leave` later). The audience that a surge puts in place is counted so; a viewer who comes during a surge
watches for the journey's time, for a level lasts seconds and retention is a matter of minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.campaigns.curve import Integral
from harness.campaigns.plan import ArrivalPlan, Curve, Moment, Stay, Timeline
from harness.scenario.model import Journey, Scenario, Think, Watch
from harness.scenario.spread import Spread

SEGMENT = 6.0  # s, the target duration of a live playlist (Apple's and every packager's default); a run measures the real one
PARTS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """One think or watch step on a journey's clock."""

    journey: int
    step: int
    share: float
    offset: float  # s after arrival, on average
    lengths: Curve  # equally likely lengths, s
    requests: float  # sent per second by each visitor inside it
    stay: Stay | None  # for a watch at an event

    def inside(self, arrived: Integral, t: Curve) -> Curve:
        """Expected visitors inside this pause at plan seconds `t`."""
        stay = self.stay
        if stay is None:
            return self._cohort(arrived, t, -np.inf, np.inf)
        at_the_end = np.clip(1.0 - (t - stay.until) / max(stay.leave, 1.0), 0.0, 1.0)
        last = stay.until  # who comes later comes for something else, and is not sent home by the event's end
        if stay.drop_at is None:
            during = self._cohort(arrived, t, -np.inf, last)
        else:
            dropped = min(stay.drop_at - self.offset, last)
            still = np.where(t >= stay.drop_at, 1.0 - stay.drop_share, 1.0)
            during = still * self._cohort(arrived, t, -np.inf, dropped) + self._cohort(arrived, t, dropped, last)
        return np.asarray(at_the_end * during + self._cohort(arrived, t, last, np.inf))

    def _cohort(self, arrived: Integral, t: Curve, first: float, last: float) -> Curve:
        """Those inside at `t` who arrived between `first` and `last`."""
        entered = t - self.offset
        came = arrived.at(np.clip(entered, first, last))
        left = sum((arrived.at(np.clip(entered - length, first, last)) for length in self.lengths), np.zeros_like(t)) / len(self.lengths)
        return np.asarray(self.share * np.maximum(came - left, 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """A journey as the plan sees it: when its requests leave, and where it pauses."""

    share: float
    requests: tuple[float, ...]  # s after arrival
    pauses: tuple[Pause, ...]
    longest: float


class _Load:
    """The campaign's arrivals against its visits: everything that can be expected at a time."""

    def __init__(self, plan: ArrivalPlan, scenario: Scenario) -> None:
        self.plan = plan
        self.arrived = Integral(plan.times, plan.visits)
        self.scanned = Integral(plan.times, plan.scanners)
        self.visits = tuple(_visit(j, journey, plan.stay) for j, journey in enumerate(scenario.journeys))

    def pauses(self) -> Iterator[Pause]:
        for visit in self.visits:
            yield from visit.pauses

    def concurrent(self, t: Curve) -> Curve:
        return np.asarray(sum((pause.inside(self.arrived, t) for pause in self.pauses()), np.zeros_like(t)))

    def requests(self, t: Curve) -> Curve:
        total = self.scanned.rate_at(t)
        for visit in self.visits:
            for offset in visit.requests:
                total = total + visit.share * self.arrived.rate_at(t - offset)
            for pause in visit.pauses:
                if pause.requests:
                    total = total + pause.requests * pause.inside(self.arrived, t)
        return total

    def grid(self) -> Curve:
        """The plan's own times, the same times as later steps see them, and what comes after the last arrival."""
        end = float(self.plan.times[-1])
        longest = max((visit.longest for visit in self.visits), default=0.0)
        offsets = {0.0} | {offset for visit in self.visits for offset in visit.requests} | {pause.offset for pause in self.pauses()}
        main = self._main()
        shifted = [main + offset for offset in sorted(offsets)[:12]]
        for pause in self.pauses():
            if pause.requests:
                shifted += [main + pause.offset + float(pause.lengths[0]), main + pause.offset + float(pause.lengths[-1])]
                shifted += [np.linspace(main[0], main[-1] + longest, 400)]
        tail = np.linspace(end, end + longest, 33)
        every = np.unique(np.concatenate([self.plan.times, *shifted, tail]))
        return np.asarray(every[np.concatenate([[True], np.diff(every) > 1e-3])])

    def _main(self) -> Curve:
        """The plan's times without its long tails: where the rate is above a twentieth of its peak."""
        total = self.plan.visits + self.plan.scanners
        high = np.flatnonzero(total > 0.05 * total.max())
        return self.plan.times[max(high[0] - 1, 0) : high[-1] + 2] if len(high) else self.plan.times


def timeline(plan: ArrivalPlan, scenario: Scenario) -> Timeline:
    """Arrivals, visitors present and requests per second over the whole campaign, at its own size. `visitors` are new visitors alone."""
    load = _Load(plan, scenario)
    return _timeline(load, load.grid(), hits=True)


def hardest(plan: ArrivalPlan, scenario: Scenario) -> Moment:
    """The moment with the most expected requests per second, and who stands where at it.

    `plan.hits` do not choose it: they are requests without a visit, which a surge of visits cannot rehearse. They are in the `timeline`,
    and `surge plan` says so where they make another second harder than this one.
    """
    load = _Load(plan, scenario)
    whole = _timeline(load, load.grid(), hits=False)
    k = int(whole.requests.argmax())
    before, after = whole.times[max(k - 1, 0)], whole.times[min(k + 1, len(whole.times) - 1)]
    close = np.concatenate([[whole.times[k]], np.linspace(before, after, 257)])
    requests = load.requests(close)
    at = float(close[int(requests.argmax())])
    now = np.array([at])
    dwelling = {(pause.journey, pause.step): float(pause.inside(load.arrived, now)[0]) for pause in load.pauses()}
    concurrent = sum(dwelling.values())
    return Moment(
        at=at,
        peak=plan.peak,
        visitors_per_second=float(load.arrived.rate_at(now)[0]),
        scanners_per_second=float(load.scanned.rate_at(now)[0]),
        concurrent=concurrent,
        peak_concurrent=max(float(whole.concurrent.max()), concurrent),
        requests_per_second=float(requests.max()),
        dwelling=dwelling,
    )


def viewing(step: Watch, stay: Stay, since: float) -> float:
    """Mean seconds that somebody who begins to watch at plan second `since` watches."""
    return float(np.minimum(_stays(step.duration, stay), max(stay.until - since, 0.0)).mean())


def _timeline(load: _Load, times: Curve, *, hits: bool) -> Timeline:
    requests = load.requests(times)
    if hits and load.plan.hits is not None:
        requests = requests + np.interp(times, load.plan.times, load.plan.hits, left=0.0, right=0.0)
    return Timeline(
        times=times,
        visitors=np.interp(times, load.plan.times, load.plan.visitors, left=0.0, right=0.0),
        scanners=load.scanned.rate_at(times),
        concurrent=load.concurrent(times),
        requests=requests,
    )


def _visit(number: int, journey: Journey, stay: Stay | None) -> _Visit:
    requests: list[float] = []
    pauses: list[Pause] = []
    clock = 0.0
    longest = 0.0
    for s, step in enumerate(journey.steps):
        if isinstance(step, Think):
            lengths, rate, ends = _lengths(step.pause), 0.0, None
        elif isinstance(step, Watch):
            rate = 2.0 / SEGMENT + sum(1.0 / max(poll.every, 0.1) for poll in step.meanwhile)
            lengths, ends = _lengths(step.duration) if stay is None else _stays(step.duration, stay), stay
        else:
            requests.append(clock)
            continue
        pauses.append(Pause(journey=number, step=s, share=journey.share, offset=clock, lengths=lengths, requests=rate, stay=ends))
        longest += float(lengths[-1])
        clock += float(lengths.mean())
    return _Visit(share=journey.share, requests=tuple(requests), pauses=tuple(pauses), longest=longest)


def _lengths(law: Spread) -> Curve:
    """Equally likely lengths that stand for the law: its quantiles, scaled so that their mean is the law's own."""
    if law.low == law.high:
        return np.array([law.low])
    drawn = np.array([law.draw((k + 0.5) / PARTS) for k in range(PARTS)])
    return np.asarray(drawn * (law.mean / drawn.mean()))


def _stays(law: Spread, stay: Stay) -> Curve:
    """Equally likely lengths of min(planned length, when an audience loses interest)."""
    planned = _lengths(law)
    ages = np.concatenate([np.linspace(0.0, stay.within, 65), np.linspace(stay.within, max(stay.within, planned[-1]) + 1.0, 1025)[1:]])
    kept = stay.kept(ages)
    gone_before = np.interp(1.0 - (np.arange(PARTS) + 0.5) / PARTS, kept[::-1], ages[::-1], left=np.inf)
    # Every pairing of a planned length with a loss of interest is equally likely; the sorted pairs are thinned back to their quantiles.
    pairs = np.sort(np.minimum(planned[:, None], gone_before[None, :]).ravel())
    return np.asarray(pairs.reshape(PARTS, -1).mean(axis=1))
