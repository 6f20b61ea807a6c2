"""In: a scenario that is too hard for its site, and the multiple of it that fits. Out: `Gentler`: the least change of one lever that fits.

Nothing is offered that has not been planned again. Each lever has a grid of values that people would write; the change is the first
that fits, so the one before it on the grid does not. Levers are monotone: sent more slowly, or to fewer, is never harder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.campaigns import plan_campaign
from harness.campaigns.calendar import EVERYDAY, shares
from harness.campaigns.moment import hardest
from harness.campaigns.plan import ArrivalPlan, Moment
from harness.scenario.campaign import Entry
from harness.scenario.model import Calendar, Scenario

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
SENDING_TIMES = (
    *(MINUTE * n for n in range(1, 10)),
    *(5 * MINUTE * n for n in range(2, 12)),
    *(15 * MINUTE * n for n in range(4, 24)),
    *(HOUR * n for n in range(6, 24)),
    *(6 * HOUR * n for n in range(4, 57)),
)
"""s: minutes up to ten, then steps of 5 and 15 minutes, 1 and 6 hours, up to two weeks."""
MOVES = tuple(HOUR * n for n in (1, 2, 3, 6, 12, 24, 48, 168))  # s later, for a campaign of a calendar
BATCHES = (2, 3, 4, 5, 6, 8, 10, 12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """The campaign as it is planned, and the multiple of it that fits (less than 1 when it is too hard)."""

    scenario: Scenario
    plan: ArrivalPlan
    moment: Moment
    room: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Gentler:
    """A changed campaign that fits. `hardness` is its hardest moment as a multiple of the original's."""

    value: float
    hardness: float
    scenario: Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """One campaign of a calendar, moved to a later time."""

    place: int  # in the calendar's list
    name: str
    entry: Entry
    change: Gentler


def hardness(scenario: Scenario, original: Original) -> float:
    """How hard a scenario's hardest moment is, as a multiple of the original's.

    By requests, and where no audience stays, by arrivals too: the mix of people and scanners may differ, and their requests are not alike.
    """
    plan = plan_campaign(scenario)
    by_requests = hardest(plan, scenario).requests_per_second / original.moment.requests_per_second
    return by_requests if plan.stay is not None else max(by_requests, float(plan.visits.max() / original.plan.visits.max()))


def changed(scenario: Scenario, **campaign: object) -> Scenario:
    """The scenario with other numbers in its campaign."""
    return scenario.model_copy(update={"campaign": scenario.campaign.model_copy(update=campaign)})


def slower(original: Original, *, sent_over: float) -> Gentler | None:
    """The shortest sending time (s) beyond `sent_over` with which a mail fits; None when not even the longest does."""
    times = [t for t in SENDING_TIMES if t > sent_over]
    return _first_fitting(original, times, lambda t: changed(original.scenario, sent_over=t))


def in_batches(original: Original, *, sent_over: float) -> Gentler | None:
    """The fewest batches in which a mail that is sent over `sent_over` seconds fits; None when not even the most do."""
    return _first_fitting(original, BATCHES, lambda n: changed(original.scenario, sent_over=sent_over, batches=int(n)))


def fewer(original: Original, lever: str, size: int, **also: object) -> Gentler | None:
    """The largest audience below `size`, in two figures, that fits when `lever` ("registrants", "list_size", …) is set to it."""
    return _first_fitting(original, sizes_below(size), lambda n: changed(original.scenario, **{lever: int(n)}, **also))


def scaled(original: Original, lever: str, value: float) -> Gentler | None:
    """The largest factor below `value`, in whole per cent of it, that fits."""
    return _first_fitting(original, [value * k / 100 for k in range(99, 0, -1)], lambda f: changed(original.scenario, **{lever: f}))


def moved(original: Original) -> Moved | None:
    """The smallest move of one campaign of a calendar, among the two that weigh most at the hardest moment, with which the sum fits."""
    calendar = original.scenario.campaign
    if not isinstance(calendar, Calendar):
        return None
    weights = {name: rate for name, rate in shares(calendar, original.moment.at) if name != EVERYDAY}
    heaviest = sorted(weights, key=lambda name: -weights[name])[:2]
    for later in MOVES:
        for name in heaviest:
            entries = tuple(_later(entry, later) if entry.scenario == name else entry for entry in calendar.campaigns)
            scenario = changed(original.scenario, campaigns=entries)
            found = hardness(scenario, original)
            if found <= original.room:
                place = next(k for k, entry in enumerate(entries) if entry.scenario == name)
                return Moved(place=place, name=name, entry=entries[place], change=Gentler(value=later, hardness=found, scenario=scenario))
    return None


def _later(entry: Entry, seconds: float) -> Entry:
    starts = entry.starts or (entry.campaign.starts if entry.campaign is not None else None)
    return entry if starts is None else entry.model_copy(update={"starts": starts + timedelta(seconds=seconds)})


def sizes_below(size: int) -> list[int]:
    """Numbers of at most two figures below `size`, the largest first: what people write on a plan."""
    found, step = [], 1
    while step <= size:
        found += [n * step for n in range(10 if step > 1 else 1, 100) if n * step < size]
        step *= 10
    return sorted(found, reverse=True)


def _first_fitting(original: Original, values: Sequence[float], change: Callable[[float], Scenario]) -> Gentler | None:
    """Bisection for the first value (values go from hard to gentle) whose campaign fits; None when the gentlest does not."""

    def planned(value: float) -> Gentler:
        scenario = change(value)
        return Gentler(value=value, hardness=hardness(scenario, original), scenario=scenario)

    if not values:
        return None
    best = planned(values[-1])
    if best.hardness > original.room:
        return None
    low, high = -1, len(values) - 1  # values[high] fits, values[low] does not
    while high - low > 1:
        middle = (low + high) // 2
        tried = planned(values[middle])
        if tried.hardness <= original.room:
            high, best = middle, tried
        else:
            low = middle
    return best
