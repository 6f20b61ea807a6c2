"""In: durations in seconds. Out: counts in logarithmic buckets, and quantiles read from them with a relative error of at most 1 %.

Histograms of one size add up cell by cell, so percentiles are never averaged: add the counts, then ask. A histogram is a plain array of
`BUCKETS` counts; any array whose last axis has that size is as many histograms. The idea is DDSketch's (Masson, Rim, Lee 2019).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer]

ERROR = 0.01
SHORTEST = 1e-4  # s: everything below is in bucket 0
LONGEST = 600.0  # s: everything above is in the last bucket
_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG_GAMMA = math.log(_GAMMA)
BUCKETS = math.ceil(math.log(LONGEST / SHORTEST) / _LOG_GAMMA) + 1

# Bucket i holds (SHORTEST·γ^(i-1), SHORTEST·γ^i]; its value is off by at most ERROR to either side.
VALUES = SHORTEST * np.power(_GAMMA, np.arange(BUCKETS)) * 2 / (1 + _GAMMA)


def buckets(seconds: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """The bucket of each duration. Not-a-number counts as the longest: a lost measurement must not look fast."""
    clean = np.nan_to_num(np.asarray(seconds, dtype=np.float64), nan=LONGEST, posinf=LONGEST)
    index = np.ceil(np.log(np.clip(clean, SHORTEST, LONGEST) / SHORTEST) / _LOG_GAMMA)
    return np.clip(index, 0, BUCKETS - 1).astype(np.intp)


def count(seconds: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """A fresh histogram of these durations."""
    return np.bincount(buckets(seconds), minlength=BUCKETS).astype(np.int64)


def quantiles(counts: Counts, shares: tuple[float, ...], *, at_least: int = 1) -> npt.NDArray[np.float64]:
    """Quantiles in seconds, shape (…, len(shares)), of histograms of shape (…, BUCKETS); NaN where one holds fewer than `at_least`."""
    sums = np.cumsum(counts, axis=-1, dtype=np.int64)
    total = sums[..., -1]
    found = np.full((*total.shape, len(shares)), np.nan)
    for k, share in enumerate(shares):
        # The smallest value that at least this share of the requests do not exceed (the inverse of the empirical distribution).
        rank = np.maximum(np.ceil(share * total - 1e-9), 1)
        index = (sums < rank[..., None]).sum(axis=-1)
        found[..., k] = np.where(total >= at_least, VALUES[np.minimum(index, BUCKETS - 1)], np.nan)
    return found


def enough(share: float, *, confidence: float = 0.95) -> int:
    """How many requests a percentile needs before anything honest can be said of it: 59 for p95, 299 for p99, 2 995 for p99.9.

    Below, no sample is large enough for a distribution-free upper bound: share^n > 1 − confidence (Hahn and Meeker, Statistical Intervals).
    """
    return math.ceil(math.log(1 - confidence) / math.log(share) - 1e-9)


def quantile(counts: Counts, share: float, *, overdispersion: float = 1.0) -> tuple[float, float, float] | None:
    """(value, low, high) in seconds, the 95 % interval by order statistics; None where there is not enough data for this share.

    The ranks come from the normal approximation of Bin(n, share), with n divided by `overdispersion`, since requests of one
    queue are not independent.
    """
    total = int(np.sum(counts))
    effective = total / max(overdispersion, 1.0)
    if effective < enough(share):
        return None
    spread = 1.96 * math.sqrt(share * (1 - share) / effective)
    low, value, high = (min(max(s, 0.0), 1.0) for s in (share - spread, share, share + spread))
    return tuple(float(v) for v in quantiles(counts, (value, low, high)))  # type: ignore[return-value]
