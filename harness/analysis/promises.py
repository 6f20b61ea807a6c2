"""In: the held levels and the breaking point. Out: for each promise what was measured, whether the peak keeps it, and when it broke."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.analysis import histogram, shares
from harness.analysis.cohorts import Cohorts
from harness.analysis.levels import Stretch, aftermath
from harness.result import BreakingPoint, PromisePart
from harness.scenario.model import Promise

SETTLED = 3.0  # s: a shorter level does not speak for the peak, unless it is its rehearsal, cut short because it broke
REHEARSAL = "rehearsal"  # the search's name for the phase that plays the campaign's own peak
CLOSE = 0.8  # of the highest level: among these the longest tells most
NEAR = 0.02  # a level this close to the peak speaks for it
FIRST = 2  # windows: a second that breaks a promise, beyond doubt, is a break


def promise_parts(cohorts: Cohorts, found: list[Stretch], point: BreakingPoint, peak: float) -> list[PromisePart]:
    """What became of each promise; `peak` is the campaign's, in visitors/s."""
    return [_part(j, promise, cohorts, found, point, peak) for j, promise in enumerate(cohorts.promises)]


def limit_share(promise: Promise) -> float:
    """The share of requests that may break this promise."""
    return 1 - promise.share if promise.kind == "latency" else promise.limit


def rehearsed(found: list[Stretch], peak: float) -> Stretch | None:
    """The level at which the campaign's own peak was played; None where the test did not get there."""
    own = [s for s in found if s.phase == REHEARSAL and s.evidence and abs(s.dial / peak - 1) <= NEAR] if peak > 0 else []
    return max(own, key=lambda s: s.seconds, default=None)


def decisive(found: list[Stretch], point: BreakingPoint) -> Stretch | None:
    """The longest of the highest levels held within the breaking point, else the highest one seen."""
    evidence = [s for s in found if s.evidence] or found
    top = point.high if point.status == "found" else None
    holding = [s for s in evidence if s.all_held == "yes" and (top is None or s.dial <= top)]
    if holding:
        highest = max(s.dial for s in holding)
        return max((s for s in holding if s.dial >= CLOSE * highest), key=lambda s: s.seconds)
    return max(evidence, key=lambda s: s.dial, default=None)


def _part(j: int, promise: Promise, cohorts: Cohorts, found: list[Stretch], point: BreakingPoint, peak: float) -> PromisePart:
    level, measured = _level(j, promise, found, point, peak)
    verdict = _verdict(j, promise, found, point, peak)
    if verdict == "kept" and measured is None:
        verdict = "unclear"  # nothing is green because data is missing
    first = _first_broken(j, promise, cohorts)
    if first is None and verdict == "broken":
        first = min(((s.at, s.dial) for s in found if s.evidence and s.held[j] == "no"), default=None)
    return PromisePart(
        text=promise.text,
        kind=promise.kind,
        limit=promise.limit * 1000 if promise.kind == "latency" else promise.limit,
        measured=measured,
        measured_at_visitors_per_second=None if level is None else level.dial,
        unit="ms" if promise.kind == "latency" else "share",
        verdict=verdict,
        first_broken_at_seconds=None if first is None else first[0],
        first_broken_at_visitors_per_second=None if first is None else first[1],
    )


def _level(j: int, promise: Promise, found: list[Stretch], point: BreakingPoint, peak: float) -> tuple[Stretch | None, float | None]:
    """The level that a promise is measured at, and what was measured: the campaign's own peak where it was rehearsed for long enough, or
    so hard that it broke; else the level that tells most."""
    own, level = rehearsed(found, peak), decisive(found, point)
    if own is not None and (own.held[j] == "no" or (own.seconds >= SETTLED and own.all_held != "no")):
        measured = _measured(j, promise, own)
        if measured is not None:
            return own, measured
    return level, None if level is None else _measured(j, promise, level)


def _measured(j: int, promise: Promise, level: Stretch) -> float | None:
    """The response time that the promised share of requests stayed within, or the share that failed. None where there is not enough data,
    and where so many failed that no response time can be named."""
    if promise.kind == "errors":
        return level.share_bad(j)
    decided = int(level.windows["decided"][:, j].sum())
    ok = int(level.counts.sum())
    if decided < histogram.enough(promise.share) or not ok:
        return None
    share = promise.share * decided / ok  # failures are slower than any answer
    if share > 1:
        return None
    return round(float(histogram.quantiles(level.counts, (share,))[0]) * 1000, 3)


def _verdict(j: int, promise: Promise, found: list[Stretch], point: BreakingPoint, peak: float) -> Literal["kept", "broken", "unclear"]:
    own = rehearsed(found, peak)
    if point.low is not None and point.low >= peak:
        return "unclear" if own is not None and own.held[j] == "no" else "kept"
    evidence = [s for s in found if s.evidence and (s.seconds >= SETTLED or s.phase in ("baseline", REHEARSAL))]
    if any(s.held[j] == "no" and s.dial <= peak * (1 + NEAR) for s in evidence):
        return "unclear" if own is not None and own.seconds >= SETTLED and own.held[j] == "yes" else "broken"
    if any(s.held[j] == "yes" and s.dial >= peak * (1 - NEAR) and s.seconds >= SETTLED for s in evidence):
        return "kept"
    surely_broken = point.status == "broken_at_baseline" or (point.high is not None and point.high < peak)
    return "broken" if surely_broken and point.promise == promise.text else "unclear"


def _first_broken(j: int, promise: Promise, cohorts: Cohorts) -> tuple[float, float] | None:
    """(second, dial) of the first second whose requests broke the promise beyond doubt."""
    windows = cohorts.windows
    after = aftermath(cohorts)
    bad, decided = windows["bad"][:, j].astype(np.int64), windows["decided"][:, j].astype(np.int64)
    for k in range(len(windows) - FIRST + 1):
        n, b = int(decided[k : k + FIRST].sum()), int(bad[k : k + FIRST].sum())
        if b >= 3 and shares.wilson(b, n, phi=2.0)[0] > limit_share(promise) and not after[k]:
            worst = k + int(np.argmax(bad[k : k + FIRST]))
            # A dial that has just been lowered is not what broke it.
            return float(windows["at"][worst]), float(windows["dial"][max(worst - 1, 0) : worst + 1].max())
    return None
