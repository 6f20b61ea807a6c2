"""In: two results. Out: `Comparison`: what changed between them, and whether it is more than noise. `model_dump_json` writes it down.

One run is one sample. Two runs differ by the spread of each one's interval and by what no single run can know, the spread from run to
run (`BETWEEN`; a shared machine adds its own). A change is `worse` or `better` only when the whole 90 % interval of the ratio says so;
`regression`, for a gate, asks for more: that the upper end of the new breaking point lies below the lower end of the old one by more
than the tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.result import BreakingPoint, Part, Result

Change = Literal["better", "worse", "same", "unclear"]

Z = 1.645  # of a 90 % interval
BETWEEN = {"quick": 0.04, "full": 0.02}  # standard deviation of the breaking point from run to run: a minute, ten minutes of load
TOLERANCE = 0.05  # a smaller loss of capacity than this is no regression
ALIKE = 0.5  # of the requests: with less in common, two runs measure different things
SLOWER = 1.25  # times a step's calm response time: less is the machine's mood
AUTHORED = ("page", "get", "post", "playlist", "poll")  # the kinds of sample that stand in a scenario
POWER = 2.49  # z(95 %) + z(80 %): a change this many standard errors large is found four times in five


class Ratio(Part):
    """new / old, with its 90 % interval."""

    value: float
    low: float
    high: float


class StepChange(Part):
    """A step whose calm response time is no longer what it was, or that only one of the runs has."""

    step: str
    what: Literal["slower", "faster", "new", "gone"]
    before: float | None  # ms
    after: float | None


class Comparison(Part):
    """`base` against `run`, by the runs' ids. `sentence` says it in one line; `conditions` are differences that make it less than fair."""

    base: str
    run: str
    change: Change
    regression: bool
    unit: Literal["visitors/s", "requests/s"]
    before: BreakingPoint
    after: BreakingPoint
    ratio: Ratio | None  # of the breaking points; None where one of them has no number
    detectable: float | None  # the smallest loss (share) that two such runs find four times in five
    repetitions: int | None  # such runs on each side that would find a loss of `TOLERANCE`
    verdicts: tuple[str, str]
    steps: tuple[StepChange, ...]
    notes: tuple[str, ...]
    conditions: tuple[str, ...]
    sentence: str


def compare(base: Result, run: Result, *, tolerance: float = TOLERANCE) -> Comparison:
    """What changed from `base` to `run`. `tolerance` is the loss of capacity (share) that a gate lets pass."""
    unit: Literal["visitors/s", "requests/s"] = "visitors/s" if _same_campaign(base, run) else "requests/s"
    if _alike(base, run) < ALIKE:
        unknown = _Interval(low=None, middle=None, high=None)
        before, after = unknown, unknown
    else:
        before, after = _interval(base, unit), _interval(run, unit)
    ratio, error = _ratio(base, run, before, after)
    change = _change(before, after, ratio, tolerance)
    return Comparison(
        base=base.run.id,
        run=run.run.id,
        change=change,
        regression=_regression(before, after, change, tolerance),
        unit=unit,
        before=base.breaking_point,
        after=run.breaking_point,
        ratio=ratio,
        detectable=None if error is None else 1 - math.exp(-POWER * error),
        repetitions=None if error is None else max(1, math.ceil((POWER * error / -math.log(1 - tolerance)) ** 2)),
        verdicts=(base.verdict, run.verdict),
        steps=_steps(base, run),
        notes=_notes(base, run),
        conditions=_conditions(base, run),
        sentence=_sentence(change, ratio, before, after, unit),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Interval:
    """Where a breaking point lies. `high` is infinite when no break was seen, `low` 0 when nothing held; None when nothing is known."""

    low: float | None
    middle: float | None
    high: float | None


def _same_campaign(base: Result, run: Result) -> bool:
    """Whether the dial means the same in both: the same campaign, at its own size or another."""
    return base.scenario.sha256 == run.scenario.sha256 or math.isclose(
        base.campaign.peak_visitors_per_second, run.campaign.peak_visitors_per_second, rel_tol=1e-6
    )


def _alike(base: Result, run: Result) -> float:
    """The smaller of the two shares of requests that went to steps of both runs; 1 where one of them measured nothing."""
    counts = [{(s.label, s.kind): 0 for s in result.steps} for result in (base, run)]
    for count, result in zip(counts, (base, run), strict=True):
        for step in result.steps:
            count[step.label, step.kind] += step.requests
    old, new = counts
    if not sum(old.values()) or not sum(new.values()):
        return 1.0
    return min(sum(n for key, n in count.items() if key in old and key in new) / sum(count.values()) for count in counts)


def _interval(result: Result, unit: str) -> _Interval:
    point = result.breaking_point
    scale = 1.0
    if unit == "requests/s":
        if point.visitors_per_second is None or point.requests_per_second is None:
            return _Interval(low=None, middle=None, high=None)
        scale = point.requests_per_second / point.visitors_per_second
    if point.status == "found" and point.visitors_per_second and point.low is not None and point.high is not None:
        return _Interval(low=point.low * scale, middle=point.visitors_per_second * scale, high=point.high * scale)
    if point.status == "not_reached" and point.low is not None:
        return _Interval(low=point.low * scale, middle=None, high=math.inf)
    if point.status == "broken_at_baseline":
        lowest = min((level.visitors_per_second for level in result.levels if level.visitors_per_second > 0), default=0.0)
        return _Interval(low=0.0, middle=None, high=lowest)
    return _Interval(low=None, middle=None, high=None)


def _ratio(base: Result, run: Result, before: _Interval, after: _Interval) -> tuple[Ratio | None, float | None]:
    """(ratio, its standard error on the logarithmic scale)."""
    if not before.middle or not after.middle:
        return None, None
    spreads = [math.log(i.high / i.low) / (2 * Z) for i in (before, after) if i.high and i.low]
    if len(spreads) < 2:
        return None, None
    between = [BETWEEN.get(result.run.profile, BETWEEN["quick"]) for result in (base, run)]
    error = math.sqrt(sum(s * s for s in (*spreads, *between)))
    value = after.middle / before.middle
    return Ratio(value=value, low=value * math.exp(-Z * error), high=value * math.exp(Z * error)), error


def _change(before: _Interval, after: _Interval, ratio: Ratio | None, tolerance: float) -> Change:
    if ratio is not None:
        if ratio.high < 1:
            return "worse"
        if ratio.low > 1:
            return "better"
        # The same only when the runs could have told otherwise.
        return "same" if ratio.low > 1 - 2 * tolerance and ratio.high < 1 / (1 - 2 * tolerance) else "unclear"
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "unclear"
    if after.high < before.low:
        return "worse"
    return "better" if after.low > before.high else "unclear"


def _regression(before: _Interval, after: _Interval, change: Change, tolerance: float) -> bool:
    known = before.low is not None and after.high is not None
    return change == "worse" and known and (after.high or 0.0) < (1 - tolerance) * (before.low or 0.0)


def _steps(base: Result, run: Result) -> tuple[StepChange, ...]:
    old = {(s.journey, s.label): s for s in base.steps}
    new = {(s.journey, s.label): s for s in run.steps}
    labels = [list(dict.fromkeys(s.label for s in result.steps if s.kind in AUTHORED)) for result in (base, run)]
    found = [StepChange(step=label, what="gone", before=None, after=None) for label in labels[0] if label not in labels[1]]
    found += [StepChange(step=label, what="new", before=None, after=None) for label in labels[1] if label not in labels[0]]
    for key, now in new.items():
        then = old.get(key)
        if then is None or then.calm_p50_ms is None or now.calm_p50_ms is None:
            continue
        times = math.log(now.calm_p50_ms / then.calm_p50_ms)
        # The median of n exponential times has a relative error of about 1.44/√n; many steps are looked at, so three of them.
        noise = 3 * 1.44 * math.sqrt(1 / max(then.calm_requests, 1) + 1 / max(now.calm_requests, 1))
        if abs(times) > max(math.log(SLOWER), noise):
            what: Literal["slower", "faster"] = "slower" if times > 0 else "faster"
            found.append(StepChange(step=key[1], what=what, before=then.calm_p50_ms, after=now.calm_p50_ms))
    return tuple(found)


def _notes(base: Result, run: Result) -> tuple[str, ...]:
    found = []
    if base.verdict != run.verdict:
        found.append(f"The verdict was {_plain(base.verdict)} and is {_plain(run.verdict)}.")
    was, now = base.breaking_point, run.breaking_point
    if was.cause != now.cause and was.cause and now.cause:
        found.append(f"The cause was {_plain(was.cause)} and is {_plain(now.cause)}.")
    if was.first_step != now.first_step and was.first_step and now.first_step:
        found.append(f"“{was.first_step}” broke first; now it is “{now.first_step}”.")
    if was.recovered != now.recovered and now.recovered is not None and was.recovered is not None:
        found.append("The site recovers again by itself." if now.recovered else "The site no longer recovers by itself.")
    broken = {p.text for p in base.promises if p.verdict == "broken"}
    found += [f"No longer kept: {p.text}." for p in run.promises if p.verdict == "broken" and p.text not in broken]
    found += [f"Kept again: {p.text}." for p in run.promises if p.verdict == "kept" and p.text in broken]
    return tuple(found)


def _conditions(base: Result, run: Result) -> tuple[str, ...]:
    found = []
    pairs = (
        ("the target", base.target.url, run.target.url),
        ("the profile", base.run.profile, run.run.profile),
        ("the scenario", base.scenario.sha256, run.scenario.sha256),
        ("the version of Surge", base.run.versions.get("surge"), run.run.versions.get("surge")),
        ("the number of workers", len(base.generator.workers), len(run.generator.workers)),
    )
    found += [f"Not alike: {name}." for name, was, now in pairs if was != now]
    old, new = (tuple((p.text, p.limit) for p in result.promises) for result in (base, run))
    if old != new:
        found.append("Not alike: the promises, so the breaking points measure different things.")
    for result in (base, run):
        if not result.generator.healthy:
            found.append(f"The generator was not well in {result.run.id}.")
        if result.run.stopped_early:
            found.append(f"{result.run.id} was stopped early.")
    return tuple(found)


def _sentence(change: Change, ratio: Ratio | None, before: _Interval, after: _Interval, unit: str) -> str:
    if ratio is not None:
        percent = f"{abs(ratio.value - 1):.0%} {'less' if ratio.value < 1 else 'more'}"
        span = f"{ratio.low - 1:+.0%} to {ratio.high - 1:+.0%}"
        return {
            "worse": f"The site takes {percent} than before ({span}): more than noise.",
            "better": f"The site takes {percent} than before ({span}): more than noise.",
            "same": f"The site takes as much as before ({span}).",
            "unclear": f"No change that these runs could tell from noise ({span}).",
        }[change]
    if change == "worse":
        return f"The site takes less than before: it held {before.low:.3g} {unit}, and now breaks by {after.high:.3g}."
    if change == "better":
        return f"The site takes more than before: it broke by {before.high:.3g} {unit}, and now holds {after.low:.3g}."
    return "The two runs cannot be compared: they asked for different things, or one of them has no breaking point."


def _plain(word: str) -> str:
    return word.replace("_", " ")
