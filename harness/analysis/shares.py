"""In: bad requests out of all, per half second. Out: the share with its interval, widened for requests that fare alike."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

Z = 1.645  # one-sided 95 %


def overdispersion(bad: npt.NDArray[np.integer], decided: npt.NDArray[np.integer]) -> float:
    """How much more the share varies between batches than independent requests would: at least 1; 2 when too few batches can tell.

    Pearson's χ² over its degrees of freedom. Requests of one queue are slow together, so n requests tell as much as n/φ independent ones.
    """
    n, k = decided[decided > 0].astype(float), bad[decided > 0].astype(float)
    if len(n) < 4:
        return 2.0
    share = k.sum() / n.sum()
    if share <= 0 or share >= 1:
        return 1.0
    return max(1.0, float((((k - n * share) ** 2) / (n * share * (1 - share))).sum() / (len(n) - 1)))


def wilson(bad: float, decided: float, *, phi: float = 1.0, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share, of `decided / phi` effective requests; (0, 1) of none. (Wilson 1927.)"""
    n = decided / phi
    if n <= 0:
        return 0.0, 1.0
    p = bad / decided
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def kept(bad: npt.NDArray[np.integer], decided: npt.NDArray[np.integer], limit: float, *, z: float = Z) -> Literal["yes", "no", "unclear"]:
    """Whether a share stays below its limit, per batch counts given: yes and no only when the whole interval agrees."""
    low, high = wilson(float(bad.sum()), float(decided.sum()), phi=overdispersion(bad, decided), z=z)
    return "no" if low > limit else "yes" if high <= limit else "unclear"
