"""In: `ArrivalPlan` and a seed. Out: the arrival times of one campaign as it might really happen: a non-homogeneous Poisson process.

Two independent ways, so that one can check the other: `schedule` inverts the integral of the rate (exact for rates that are linear in
between, no rejection), `thinning` proposes at the peak rate and keeps in proportion (Lewis & Shedler 1979; wasteful for spiky curves).
"""

from __future__ import annotations

import numpy as np

from harness.campaigns.curve import Integral
from harness.campaigns.plan import ArrivalPlan, Curve


def schedule(plan: ArrivalPlan, seed: int) -> Curve:
    """Arrival times in plan seconds, ascending, scanners not included. The same seed gives the same times."""
    integral = Integral(plan.times, plan.visitors)
    random = np.random.default_rng(seed)
    gaps = random.standard_exponential(int(integral.total + 8.0 * np.sqrt(integral.total) + 16.0))
    reached = np.cumsum(gaps, out=gaps)
    # Eight standard deviations above the mean are drawn; were that ever too few, the last times would be missing, not wrong.
    return integral.inverse(reached[: int(np.searchsorted(reached, integral.total))])


def thinning(plan: ArrivalPlan, seed: int) -> Curve:
    """The same process by rejection: arrival times in plan seconds, ascending."""
    random = np.random.default_rng(seed)
    start, end = float(plan.times[0]), float(plan.times[-1])
    proposed = np.sort(random.uniform(start, end, random.poisson(plan.peak * (end - start))))
    rate = np.interp(proposed, plan.times, plan.visitors)
    return np.asarray(proposed[random.uniform(0.0, plan.peak, len(proposed)) < rate])
