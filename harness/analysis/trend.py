"""In: the results of one campaign, in order of time. Out: its history: each run's breaking point, and where it shifted for good.

Shifts are found by E-divisive (Matteson and James 2014): the split with the largest energy distance between before and after, kept
when it is larger than in 95 % of seeded shuffles, and so on within each side. Unlike a threshold on the last run it needs no
tuning, and one bad run is not a shift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.result import Part, Result, Verdict

Floats = npt.NDArray[np.float64]

SHUFFLES = 199
CERTAIN = 0.05
FEWEST = 3  # runs on either side of a shift
LATEST = 200  # runs: older ones tell nothing about a shift today


class TrendPoint(Part):
    """One run of the history. Rates in visitors/s at the campaign's peak; None where the run has no such number."""

    run: str
    started: str  # ISO 8601, UTC
    verdict: Verdict
    low: float | None
    middle: float | None
    high: float | None
    peak: float  # the campaign's own
    shifted: float | None = None  # the level from here on / the level before, where a shift begins


def trend(results: Sequence[Result], *, seed: int = 0) -> list[TrendPoint]:
    """The history of runs of one scenario, oldest first; runs without a number are listed but shift nothing."""
    ordered = sorted(results, key=lambda r: r.run.started)[-LATEST:]
    known = [k for k, r in enumerate(ordered) if r.breaking_point.visitors_per_second]
    values = np.log([ordered[k].breaking_point.visitors_per_second or 1.0 for k in known])
    begin = shifts(values, np.random.default_rng(seed))
    edges = [0, *begin, len(values)]
    factor: dict[int, float] = {}
    for before, here, after in zip(edges, edges[1:], edges[2:], strict=False):
        factor[known[here]] = float(np.exp(np.median(values[here:after]) - np.median(values[before:here])))
    return [_point(result, factor.get(k)) for k, result in enumerate(ordered)]


def shifts(values: Floats, random: np.random.Generator) -> list[int]:
    """Indices at which a new level begins, in order; none in noise (one false one in twenty histories)."""
    found: list[int] = []
    ranges = [(0, len(values))]
    while ranges:
        start, end = ranges.pop()
        part = values[start:end]
        at, size = _best_split(part)
        if at is None or _chance(part, size, random) > CERTAIN:
            continue
        found.append(start + at)
        ranges += [(start, start + at), (start + at, end)]
    return sorted(found)


def _best_split(values: Floats) -> tuple[int | None, float]:
    """Where the energy distance between the two sides is largest, and how large: nm/(n+m) · (2·E|X−Y| − E|X−X'| − E|Y−Y'|)."""
    count = len(values)
    if count < 2 * FEWEST:
        return None, 0.0
    distance = np.abs(values[:, None] - values[None, :])
    sums = np.zeros((count + 1, count + 1))
    sums[1:, 1:] = distance.cumsum(axis=0).cumsum(axis=1)
    splits = np.arange(FEWEST, count - FEWEST + 1)
    left, right, total = sums[splits, splits], sums[count, count], sums[splits, count]
    n, m = splits.astype(float), count - splits.astype(float)
    across = total - left
    within = right - left - 2 * across
    energy = n * m / count * (2 * across / (n * m) - left / (n * (n - 1)) - within / (m * (m - 1)))
    best = int(energy.argmax())
    return int(splits[best]), float(energy[best])


def _chance(values: Floats, size: float, random: np.random.Generator) -> float:
    """How often shuffled values split as well: the p-value."""
    as_large = sum(_best_split(random.permutation(values))[1] >= size for _ in range(SHUFFLES))
    return (1 + as_large) / (1 + SHUFFLES)


def _point(result: Result, shifted: float | None) -> TrendPoint:
    point = result.breaking_point
    return TrendPoint(
        run=result.run.id,
        started=result.run.started,
        verdict=result.verdict,
        low=point.low,
        middle=point.visitors_per_second,
        high=point.high,
        peak=result.campaign.peak_visitors_per_second,
        shifted=shifted,
    )
