"""In: `Result`. Out: the three cards above the fold: throughput, error rate, breaking point, each with its target, margin and meaning."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report import facts
from harness.report.quantities import a_minute, grouped, number, of_peak, percent, step_for, times
from harness.report.words import STATES, State, limit, noun, one_in, peak
from harness.result import Result

SPARE = 0.1
"""Kept back from the lower end of the breaking point, as in the advice: what fits has a tenth to spare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One of the three numbers: what it is, its value, the target it is held against, the margin, and what it means."""

    key: str
    title: str
    value: str
    unit: str
    range: str
    target: str
    margin: str
    meaning: str
    state: State


def cards(result: Result) -> tuple[Card, Card, Card]:
    return (_throughput(result), _error_rate(result), _breaking_point(result))


def _throughput(result: Result) -> Card:
    point = result.breaking_point
    best = facts.best_held(result)
    needed, margin = "", ""
    if point.status == "found" and result.verdict != "inconclusive" and point.requests_per_second and point.visitors_per_second:
        each = point.requests_per_second / point.visitors_per_second  # requests a visitor brings
        step = step_for((point.low or point.visitors_per_second) * each, (point.high or point.visitors_per_second) * each)
        value, meaning = grouped(point.requests_per_second, step), "What the site delivers at its limit: pages, pictures, forms and videos."
        needed = f"Your peak needs about {grouped(result.campaign.peak_visitors_per_second * each, step)}"
        margin = _margin(point.visitors_per_second / result.campaign.peak_visitors_per_second)
    elif best is not None:
        value, meaning = number(best.goodput_per_second), "The most that the site delivered well in this test. It may be able to do more."
    elif result.totals.requests:
        top = max((level.goodput_per_second for level in result.levels), default=0.0)
        value, meaning = number(top), "The most that came back well and in time; the promises were not kept."
    else:
        value, meaning = "–", "Nothing was measured."
    state: State = STATES[result.verdict] if best is not None or result.verdict != "ready" else "unknown"
    return Card(
        key="throughput",
        title="Throughput",
        value=value,
        unit="answers a second",
        range="",
        target=needed,
        margin=margin,
        meaning=meaning,
        state=state,
    )


def _margin(headroom: float) -> str:
    change = round((headroom - 1) * 100)
    return f"{change}% more than needed" if change > 0 else (f"{-change}% short" if change < 0 else "exactly enough")


def _error_rate(result: Result) -> Card:
    promise, level = facts.error_promise(result), facts.at_peak(result)
    where = "at your peak"
    shown = level is not None  # what was seen speaks for the peak
    if level is None and (level := facts.above_peak(result)) is not None:
        where, shown = f"at {a_minute(level.visitors_per_second).value} visitors a minute, above your peak", True
    elif level is None and result.levels:
        level = facts.closest_to_peak(result)
        where = f"at {a_minute(level.visitors_per_second).value} visitors a minute, the nearest we can show" if level else where
    if level is None or level.error_rate is None:
        return Card(
            key="errors",
            title="Error rate",
            value="–",
            unit="not measured",
            range="",
            target=_promised(promise.limit) if promise else "No target was set",
            margin="",
            meaning="Too few answers to tell.",
            state="unknown",
        )
    rate = level.error_rate
    margin, state = "", STATES[result.verdict]
    if promise is not None:
        # What breaks below the peak breaks at the peak; what holds below it proves nothing.
        below = rate >= promise.limit and level.visitors_per_second < result.campaign.peak_visitors_per_second
        known = (shown or below) and result.verdict != "inconclusive" and promise.verdict != "unclear"
        state = ("good" if rate < promise.limit else "bad") if known else "unknown"
        margin = "within the promise" if rate < promise.limit else "above the promise"
    return Card(
        key="errors",
        title="Error rate",
        value=percent(rate),
        unit=where,
        range="",
        target=_promised(promise.limit) if promise else "No target was set",
        margin=margin,
        meaning=one_in(rate, level.requests),
        state=state,
    )


def _promised(limit: float) -> str:
    return f"Promised: below {percent(limit)}"


def _breaking_point(result: Result) -> Card:
    point = result.breaking_point
    target = f"Your peak: {peak(result)}"
    if point.status == "found" and point.visitors_per_second is not None:
        held = limit(result)
        own = result.campaign.peak_visitors_per_second
        ratio = point.headroom if point.headroom is not None else point.visitors_per_second / own
        return Card(
            key="limit",
            title="Breaking point",
            value=held.value,
            unit=f"visitors a minute{_at_once(result)}",
            range=held.both,
            target=target,
            margin=of_peak(ratio),
            meaning=_room(result, ratio),
            state=STATES[result.verdict],
        )
    if point.status == "broken_at_baseline":
        return Card(
            key="limit",
            title="Breaking point",
            value="–",
            unit="none found",
            range="",
            target=target,
            margin="",
            meaning="The promises were broken from the first visitors on.",
            state=STATES[result.verdict],
        )
    if point.low is not None:
        over = point.low / result.campaign.peak_visitors_per_second
        return Card(
            key="limit",
            title="Breaking point",
            value=f"Over {a_minute(point.low).value}",
            unit="visitors a minute",
            range="",
            target=target,
            margin=f"at least {of_peak(over)}",
            meaning=_beyond(result),
            state=STATES[result.verdict],
        )
    return Card(
        key="limit",
        title="Breaking point",
        value="–",
        unit="not found",
        range="",
        target=target,
        margin="",
        meaning="This test cannot say where the limit is.",
        state="unknown" if result.verdict != "not_ready" else "bad",
    )


def _at_once(result: Result) -> str:
    """Where an audience stays, how many of them that is: the number that people who plan a webcast think in."""
    present = result.breaking_point.concurrent_visitors
    return f", about {number(float(f'{present:.2g}'))} at once" if present and result.scenario.type == "webcast" else ""


def _beyond(result: Result) -> str:
    if facts.generator_was_the_limit(result):
        return "The site held this much before the test's own machines reached their limit."
    return "The site held the highest load of this test. Its limit is higher; how much is unknown."


def _room(result: Result, ratio: float) -> str:
    if result.verdict == "inconclusive":
        return "Not sure enough to count on."
    sure = result.breaking_point.headroom_low or ratio
    if ratio >= 1 and sure * (1 - SPARE) >= 1.1:
        return f"It fits, with room: the {noun(result)} could be up to {sure * (1 - SPARE):.1f} times as large, a tenth to spare."
    if ratio >= 1 and sure * (1 - SPARE) >= 1:
        return "It fits, with a tenth to spare for a better response than planned."
    if ratio >= 1:
        return "It fits, with little to spare: a response better than planned would break it."
    if ratio >= 0.85:
        return "It does not fit, but not by much."
    return f"It does not fit: at its peak the {noun(result)} brings {times(1 / ratio)} what the site can take."
