"""In: `Result`. Out: what several parts of a report ask of it: which level is the campaign's peak, when it is at risk. Pure."""

from __future__ import annotations

from harness.result import AnswerCurve, Level, PromisePart, Result

NEAR = 1.25
"""A level speaks for a load when it lies within this factor of it."""


AFTERMATH = ("drain", "recover", "shed")
"""In the names of phases whose requests meet the backlog of what came before."""


def nearest(levels: list[Level], rate: float, *, within: float = NEAR) -> Level | None:
    """The level whose offered load is closest to `rate` (visitors/s) by ratio; of equals the one with more requests."""
    able = [
        level for level in levels if level.visitors_per_second > 0 and 1 / within <= level.visitors_per_second / max(rate, 1e-9) <= within
    ]
    if not able:
        return None

    def distance(level: Level) -> tuple[float, int]:
        ratio = level.visitors_per_second / rate
        return (round(max(ratio, 1 / ratio), 2), -level.requests)

    return min(able, key=distance)


def at_peak(result: Result) -> Level | None:
    """The level that shows the campaign's own peak; None when the test did not get there."""
    return nearest(_loaded(result), result.campaign.peak_visitors_per_second)


def closest_to_peak(result: Result) -> Level | None:
    """The level whose load is closest to the campaign's own peak, however far that is."""
    return nearest(_loaded(result), result.campaign.peak_visitors_per_second, within=float("inf"))


def above_peak(result: Result) -> Level | None:
    """The lowest level at or above the campaign's own peak that held: what holds there holds at the peak."""
    held = [
        level for level in _loaded(result) if level.held == "yes" and level.visitors_per_second >= result.campaign.peak_visitors_per_second
    ]
    return min(held, key=lambda level: level.visitors_per_second, default=None)


def best_held(result: Result) -> Level | None:
    """The highest level that held."""
    held = [level for level in _loaded(result) if level.held == "yes"]
    return max(held, key=lambda level: level.visitors_per_second, default=None)


def _loaded(result: Result) -> list[Level]:
    return [level for level in result.levels if level.requests > 0 and not is_aftermath(level)]


def is_aftermath(level: Level) -> bool:
    """True for a level seen while the site was given time to come back, not while load was offered to find its limit."""
    return any(word in level.phase for word in AFTERMATH)


def risk(result: Result) -> tuple[float, float] | None:
    """The planned stretch above what the site can serve, in seconds on the campaign's clock; the one with the worst moment where there are
    several. None when it fits or nobody can tell."""
    if result.verdict != "not_ready":
        return None
    losses, point, plan = result.losses, result.breaking_point, result.campaign
    if losses is not None and losses.over_from_seconds is not None and losses.over_to_seconds is not None:
        return (losses.over_from_seconds, losses.over_to_seconds)
    if point.status != "found" or point.visitors_per_second is None:
        return None
    load = plan.curve_load_visitors_per_second or plan.curve_visitors_per_second
    over = crossings(plan.curve_seconds, load, point.visitors_per_second)
    worst = plan.curve_seconds[load.index(max(load))]
    return next((stretch for stretch in over if stretch[0] <= worst <= stretch[1]), None)


def crossings(times: list[float], rates: list[float], limit: float) -> list[tuple[float, float]]:
    """Every stretch in which the piecewise linear curve lies above `limit`, as (from, to) in the curve's own seconds."""
    found: list[tuple[float, float]] = []
    start: float | None = times[0] if rates and rates[0] > limit else None
    for left, right, low, high in zip(times, times[1:], rates, rates[1:], strict=False):
        if low <= limit < high:
            start = left + (right - left) * (limit - low) / (high - low)
        elif high <= limit < low and start is not None:
            found.append((start, left + (right - left) * (low - limit) / (low - high)))
            start = None
    if start is not None:
        found.append((start, times[-1]))
    return found


def error_promise(result: Result) -> PromisePart | None:
    """The first promise about failed responses."""
    return next((promise for promise in result.promises if promise.kind == "errors"), None)


def under_pressure(curve: AnswerCurve) -> float:
    """Answers/s while the site was busiest: the mean over the upper half of the time, by requests under way. Rare levels weigh little."""
    told = sorted(zip(curve.in_flight, curve.answers_per_second, curve.seconds, strict=True), reverse=True)
    left = half = sum(curve.seconds) / 2
    total = 0.0
    for _, rate, seconds in told:
        taken = min(seconds, left)
        total, left = total + rate * taken, left - taken
    return total / half if half > 0 else 0.0


def latency_limit_ms(result: Result) -> float | None:
    """The strictest response-time promise, in ms."""
    return min((promise.limit for promise in result.promises if promise.kind == "latency"), default=None)


def generator_was_the_limit(result: Result) -> bool:
    """True when the test's own machines ran out before the site did."""
    return not result.generator.healthy or result.breaking_point.cause == "generator"
